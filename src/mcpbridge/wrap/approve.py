"""`Approve`: calls that a policy does not let run wait for a person's yes, which is good for that one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import mcp_types

from mcpbridge.policy import Allow, Ask, Deny, Policy, reads_run_writes_ask, rule
from mcpbridge.source.answer import answers, nest
from mcpbridge.source.base import Answer, ToolSource, Verdict, Wrapper
from mcpbridge.tools import Call, Caller, Item, Json, Kind, Tool
from mcpbridge.wrap.approval import LIFETIME, ApprovalRequest, Approver, fresh_token
from mcpbridge.wrap.approval_answers import refused
from mcpbridge.wrap.approval_flow import KEY, ApprovalFlow, Round
from mcpbridge.wrap.approval_store import PendingApprovals
from mcpbridge.wrap.approvers import ask_client, ask_host

__all__ = ["Approve", "ask_client", "ask_host"]


class Approve(Wrapper):
    """Asks before a tool call runs, where the policy says so.

    A yes covers one call: this caller (all of it but the token), this tool as it is defined now, exactly these
    arguments, once, within `lifetime` seconds. A call that surely did not leave gives the yes back; one whose answer
    was lost does not. What an upstream itself asks within an approved call is passed on and asks for no second yes.

    Only tool calls wait. Reading a resource, getting a prompt and completing a value change nothing; hide them with
    `Filter` where they must not be had.

    `approvals` holds the requests: share one to decide from elsewhere, by `approvals.decide(id, …)`. `scope` names what
    this one guards, so that a yes serves no tool of the same name behind another `Approve` of the same `approvals`;
    without it each `Approve` is a scope of its own. `clock` gives seconds of the Unix epoch, where `approvals` is not
    given.
    """

    needs_item: ClassVar[bool] = True

    def __init__(
        self,
        inner: ToolSource,
        policy: Policy = reads_run_writes_ask,
        approver: Approver = ask_client,
        *,
        approvals: PendingApprovals | None = None,
        lifetime: float = LIFETIME,
        scope: str | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(inner)
        self.policy = policy
        self.approvals = approvals or (PendingApprovals(clock=clock) if clock else PendingApprovals())
        self._flow = ApprovalFlow(
            source=inner,
            approver=approver,
            approvals=self.approvals,
            lifetime=lifetime,
            scope=fresh_token() if scope is None else scope,
        )

    async def decide(self, id: str, *, approved: bool, by: str = "", reason: str = "") -> ApprovalRequest | None:
        """Says yes or no to a request by its id: see `PendingApprovals.decide`."""
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
                return await self._flow.answer(Round(tool=item, call=call, took=answers(call, KEY), reason=reason))

    async def explain(
        self, key: str, caller: Caller, arguments: Mapping[str, Json] | None = None, *, kind: Kind = "tool"
    ) -> Sequence[Verdict]:
        verdicts = await super().explain(key, caller, arguments, kind=kind)
        if kind != "tool" or not verdicts[-1].allowed:
            return verdicts
        call = Call(name=key, arguments=arguments or {}, caller=caller)
        ruling = await rule(self.policy, call, await self.inner.get_tool(key, caller))
        code = "policy_denied" if isinstance(ruling, Deny) else "asks" if isinstance(ruling, Ask) else "allowed"
        allowed = not isinstance(ruling, Deny)
        own = Verdict(layer=type(self).__name__, allowed=allowed, code=code, message=ruling.reason or code)
        return [*verdicts[:-1], own]

    async def _unasked(self, call: Call) -> Answer:
        """The call as it is. Our key is put around every question from inside: an inner layer may have the same key."""
        answer = await self.inner.call(call if call.request_state is None else answers(call, KEY).inner)
        return nest(answer, KEY, None) if isinstance(answer, mcp_types.InputRequiredResult) else answer
