"""The one place that fixes the order of the wrappers."""

from __future__ import annotations

from collections.abc import Callable

from mcpbridge.policy import Policy, reads_run_writes_ask
from mcpbridge.source.base import ToolSource
from mcpbridge.tools import Caller, Item, Tool
from mcpbridge.wrap.approval import Approver
from mcpbridge.wrap.approval_store import ApprovalStore
from mcpbridge.wrap.approve import Approve, ask_client
from mcpbridge.wrap.audit import Audit
from mcpbridge.wrap.audit_event import AuditSink
from mcpbridge.wrap.audit_log import AuditLog
from mcpbridge.wrap.filter import Filter
from mcpbridge.wrap.retry import Retry
from mcpbridge.wrap.validate import Validate


def guarded(
    source: ToolSource,
    *,
    keep: Callable[[Tool, Caller], bool] | None = None,
    keep_other: Callable[[Item, Caller], bool] | None = None,
    policy: Policy = reads_run_writes_ask,
    approver: Approver = ask_client,
    approvals: ApprovalStore | None = None,
    scope: str | None = None,
    retry: Callable[[ToolSource], ToolSource] | None = Retry,
    audit: AuditSink | AuditLog | None = None,
) -> ToolSource:
    """The source as it is served: a call passes these, and the first that refuses ends it::

        Call ─▶ Audit ─▶ Filter ─▶ Validate ─▶ Approve ─▶ Retry ─▶ source

    Audit outermost: what the others refuse is recorded too. See it before validating it: what is hidden answers as
    unknown, whatever the arguments. Validate before asking: a person is asked only about a call that could run. Ask
    before retrying: a person is asked once, and what was approved is what leaves.

    Without `keep` everybody sees everything. With it, resources, templates and prompts are hidden unless `keep_other`
    shows them. Pass `approvals` to decide on calls of clients that can't be asked: `approvals.decide(id, …)`; with
    those that replicas share, `scope` names what is guarded (see `Approve`).
    `retry=None` repeats nothing, and `retry=partial(Retry, attempts=2)` repeats less. `audit` is where every call is
    recorded: a sink or a log; without it none is.
    """
    repeating = source if retry is None else retry(source)
    guarded_source: ToolSource = Validate(Approve(repeating, policy, approver, approvals=approvals, scope=scope))
    if keep is not None:
        guarded_source = Filter(guarded_source, keep, keep_other=keep_other)
    return guarded_source if audit is None else Audit(guarded_source, audit)
