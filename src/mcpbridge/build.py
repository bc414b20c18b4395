"""The one place that fixes the order of the wrappers."""

from __future__ import annotations

from collections.abc import Callable

from mcpbridge.policy import Policy, reads_run_writes_ask
from mcpbridge.source.base import ToolSource
from mcpbridge.tools import Caller, Item, Tool
from mcpbridge.wrap.approval import Approver
from mcpbridge.wrap.approval_store import PendingApprovals
from mcpbridge.wrap.approve import Approve, ask_client
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
    approvals: PendingApprovals | None = None,
    retry: Callable[[ToolSource], ToolSource] | None = Retry,
) -> ToolSource:
    """The source as it is served: a call passes these, and the first that refuses ends it::

        Call ─▶ Filter ─▶ Validate ─▶ Approve ─▶ Retry ─▶ source

    See it before validating it: what is hidden answers as unknown, whatever the arguments. Validate before asking: a
    person is asked only about a call that could run. Ask before retrying: a person is asked once, and what was approved
    is what leaves.

    Without `keep` everybody sees everything. With it, resources, templates and prompts are hidden unless `keep_other`
    shows them. Pass `approvals` to decide on calls of clients that can't be asked: `approvals.decide(id, …)`.
    `retry=None` repeats nothing, and `retry=partial(Retry, attempts=2)` repeats less.
    """
    repeating = source if retry is None else retry(source)
    guarded_source: ToolSource = Validate(Approve(repeating, policy, approver, approvals=approvals))
    return guarded_source if keep is None else Filter(guarded_source, keep, keep_other=keep_other)
