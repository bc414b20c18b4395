"""Who can be asked: the client that calls, the host itself, whoever looks into the queue, or the first that can."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

import mcp_types

from mcpbridge.errors import ConfigError
from mcpbridge.tools import Call, Caller, Json
from mcpbridge.wrap.approval import ApprovalRequest, Approver, Decision, Question, Said
from mcpbridge.wrap.approval_store import ApprovalStore
from mcpbridge.wrap.plain import is_object

_FORM: Mapping[str, Json] = {
    "type": "object",
    "properties": {
        "approve": {
            "type": "boolean",
            "title": "Run this call",
            "description": "Yes runs exactly this call, once.",
            "default": False,
        }
    },
    "required": ["approve"],
}


async def ask_client(request: ApprovalRequest, call: Call) -> Decision | Question | None:
    """Asks the person at the client, by a form with one yes or no (MCP elicitation).

    Only a form that was submitted with `approve: true` is a yes. Where the client shows no forms, comes back without an
    answer, or calls for an agent without a user, nobody is asked: the caller gets `approval_required` with the
    request's id.
    """
    return _by_form(request, call) if _person(call.caller) else None


def ask_client_of(may_approve: Callable[[Caller], bool]) -> Approver:
    """`ask_client`, where the host says of which callers the client may approve; only True is a yes."""

    def ask(request: ApprovalRequest, call: Call) -> Decision | Question | None:
        return _by_form(request, call) if may_approve(call.caller) is True else None

    return ask


def _person(caller: Caller) -> bool:
    return caller.agent is None or caller.user is not None


def _by_form(request: ApprovalRequest, call: Call) -> Decision | Question | None:
    if request.barred or call.client is None or not call.client.form:
        return None
    if call.input_responses is None:
        params = mcp_types.ElicitRequestFormParams(message=request.shown, requested_schema=dict(_FORM))
        return Question(requests={"approve": mcp_types.ElicitRequest(params=params)})
    answer = _plain(call.input_responses.get("approve"))
    action, content = answer.get("action"), answer.get("content")
    if action == "accept":
        approved = is_object(content) and content.get("approve") is True
        return Decision(approved=approved, by="client", reason="" if approved else "the form did not say yes")
    if action == "decline" or action == "cancel":
        reason = "" if action == "decline" else "the question was closed without an answer"
        return Decision(approved=False, by="client", reason=reason)
    return None  # it said that it can show forms, and can't


def ask_host(
    callback: Callable[[ApprovalRequest, Call], bool | Decision | Awaitable[bool | Decision]],
) -> Approver:
    """An approver that asks the host's own callback, for hosts that talk no MCP.

    The callback gets the request (`request.shown` is the masked view) and the call; only True, or a Decision that
    approves, is a yes. It may take as long as the request lives.
    """

    async def ask(request: ApprovalRequest, call: Call) -> Decision:
        answer = callback(request, call)
        said = await answer if inspect.isawaitable(answer) else answer
        return said if isinstance(said, Decision) else Decision(approved=said is True, by="host")

    return ask


@dataclass(frozen=True, slots=True)
class Queue:
    """An approver that asks nobody: the request waits in `approvals` until somebody decides on its id, on any replica.

    The call itself waits up to `seconds` for that; then the caller gets `approval_required`, and the same call made
    again finds the decision.
    """

    approvals: ApprovalStore
    seconds: float = 0.0

    async def __call__(self, request: ApprovalRequest, call: Call) -> None:
        if self.seconds > 0:  # what comes of it is read from the store, as it is when a later call comes by
            await self.approvals.swap(request, replace(request, queued=True))
            await self.approvals.wait(request.id, self.seconds)


def first_of(*approvers: Approver) -> Approver:
    """An approver that asks the first of these that can answer; where none can, the request waits by its id.

    Raises: ConfigError for none, or for queues of different approvals.
    """
    if not approvers:
        raise ConfigError("first_of needs at least one approver")
    return _FirstOf(approvers, _queue_of(approvers))


def approvals_of(approver: Approver) -> ApprovalStore | None:
    """Where the approver's queue is, None where it has none."""
    return approver.approvals if isinstance(approver, Queue | _FirstOf) else None


@dataclass(frozen=True, slots=True)
class _FirstOf:
    approvers: tuple[Approver, ...]
    approvals: ApprovalStore | None

    async def __call__(self, request: ApprovalRequest, call: Call) -> Said:
        for approver in self.approvers:
            answer = approver(request, call)
            said = await answer if inspect.isawaitable(answer) else answer
            if said is not None:
                return said
        return None


def _queue_of(approvers: tuple[Approver, ...]) -> ApprovalStore | None:
    found = [approvals for approver in approvers if (approvals := approvals_of(approver)) is not None]
    if any(one is not found[0] for one in found):
        raise ConfigError("first_of has queues of different approvals: a request is kept in one place")
    return found[0] if found else None


def _plain(answer: Json) -> Mapping[str, Json]:
    if isinstance(answer, mcp_types.ElicitResult):
        return answer.model_dump(mode="json")
    return answer if is_object(answer) else {}
