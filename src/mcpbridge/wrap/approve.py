"""`Approve`: calls that a policy does not let run wait for a person's yes, which is good for that one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import mcp_types

from mcpbridge.errors import ConfigError
from mcpbridge.policy import Allow, Ask, Deny, Policy, reads_run_writes_ask, rule
from mcpbridge.source.answer import answers, nest
from mcpbridge.source.base import Answer, ToolSource, Verdict, Wrapper
from mcpbridge.tools import Call, Caller, Item, Json, Kind, Tool
from mcpbridge.wrap.approval import LIFETIME, Approver, Decided, fresh_token
from mcpbridge.wrap.approval_answers import refused
from mcpbridge.wrap.approval_flow import ApprovalFlow
from mcpbridge.wrap.approval_memory import PendingApprovals
from mcpbridge.wrap.approval_round import KEY, Round
from mcpbridge.wrap.approval_store import ApprovalStore
from mcpbridge.wrap.approvers import approvals_of, ask_client, ask_host

__all__ = ["Approve", "ask_client", "ask_host"]


class Approve(Wrapper):
    """Asks before a tool call runs, where the policy says so.

    A yes covers one call: this caller (all of it but the token), this tool as it is defined now, exactly these
    arguments, once, within `lifetime` seconds. A call that surely did not leave gives the yes back; one whose answer
    was lost does not. What an upstream itself asks within an approved call is passed on and asks for no second yes.

    Only tool calls wait. Reading a resource, getting a prompt and completing a value change nothing; hide them with
    `Filter` where they must not be had.

    approvals       holds the requests; by default the approver's queue, else the memory of this process
    scope           names what this one guards, so that a yes serves no tool of the same name behind another `Approve`
                    of the same `approvals`. In memory each `Approve` is a scope of its own by default; approvals that
                    replicas share need a name, the same on all of them
    bar_requester   who calls may not approve: the client is not asked, and whoever says yes has to give another name
    policy_version  a yes that was given under another version counts no more
    clock           gives seconds of the Unix epoch, where the requests are in memory

    Raises: ConfigError for shared approvals without a scope, and for two different places of approvals.
    """

    needs_item: ClassVar[bool] = True

    def __init__(
        self,
        inner: ToolSource,
        policy: Policy = reads_run_writes_ask,
        approver: Approver = ask_client,
        *,
        approvals: ApprovalStore | None = None,
        lifetime: float = LIFETIME,
        scope: str | None = None,
        bar_requester: bool = False,
        policy_version: str = "",
        clock: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(inner)
        self.policy = policy
        self.approvals = _place(approvals, approvals_of(approver), clock)
        if scope is None and self.approvals.shared:
            raise ConfigError("shared approvals need Approve(…, scope='…'): a name of what is guarded, on each replica")
        self._flow = ApprovalFlow(
            source=inner,
            approver=approver,
            approvals=self.approvals,
            lifetime=lifetime,
            scope=fresh_token() if scope is None else scope,
            policy_version=policy_version,
            barred=bar_requester,
        )

    async def decide(self, id: str, *, approved: bool, by: str | Caller = "", reason: str = "") -> Decided | None:
        """Says yes or no to a request by its id: see `ApprovalStore.decide`."""
        return await self.approvals.decide(id, approved=approved, by=by, reason=reason)

    async def call_item(self, item: Item | None, call: Call) -> Answer:
        if not isinstance(item, Tool):
            return await self.inner.call(call)
        match await rule(self.policy, call, item):
            case Allow():
                return await self._unasked(call)
            case Deny(reason=reason):
                return refused("policy_denied", call, reason=reason)
            case Ask(reason=reason):
                return await self._flow.answer(Round.of(item, call, reason))

    async def explain(
        self, key: str, caller: Caller, arguments: Mapping[str, Json] | None = None, *, kind: Kind = "tool"
    ) -> Sequence[Verdict]:
        verdicts = await super().explain(key, caller, arguments, kind=kind)
        if kind != "tool" or not verdicts[-1].allowed:
            return verdicts
        call = Call(name=key, arguments=arguments or {}, caller=caller)
        ruling = await rule(self.policy, call, await self.inner.get_tool(key, caller))
        code = ruling.code if isinstance(ruling, Deny) else "asks" if isinstance(ruling, Ask) else "allowed"
        allowed = not isinstance(ruling, Deny)
        own = Verdict(layer=type(self).__name__, allowed=allowed, code=code, message=ruling.reason or code)
        return [*verdicts[:-1], own]

    async def _unasked(self, call: Call) -> Answer:
        """The call as it is. Our key is put around every question from inside: an inner layer may have the same key."""
        answer = await self.inner.call(call if call.request_state is None else answers(call, KEY).inner)
        return nest(answer, KEY, None) if isinstance(answer, mcp_types.InputRequiredResult) else answer


def _place(
    given: ApprovalStore | None, queue: ApprovalStore | None, clock: Callable[[], float] | None
) -> ApprovalStore:
    if given is not None and queue is not None and given is not queue:
        raise ConfigError("the approver's queue has other approvals than Approve(…, approvals=…): pass one of them")
    return given or queue or (PendingApprovals(clock=clock) if clock else PendingApprovals())
