"""Who can be asked: the client that calls, or the host itself."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping

import mcp_types

from mcpbridge.tools import Call, Json
from mcpbridge.wrap.approval import ApprovalRequest, Approver, Decision, Question
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

    Only a form that was submitted with `approve: true` is a yes. A client that shows no forms is not asked: then the
    caller gets `approval_required` with the request's id.
    """
    if call.client is None or not call.client.form:
        return None
    answer = _plain((call.input_responses or {}).get("approve"))
    action, content = answer.get("action"), answer.get("content")
    if action == "accept":
        approved = is_object(content) and content.get("approve") is True
        return Decision(approved=approved, by="client", reason="" if approved else "the form did not say yes")
    if action == "decline" or action == "cancel":
        reason = "" if action == "decline" else "the question was closed without an answer"
        return Decision(approved=False, by="client", reason=reason)
    params = mcp_types.ElicitRequestFormParams(message=request.shown, requested_schema=dict(_FORM))
    return Question(requests={"approve": mcp_types.ElicitRequest(params=params)})


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


def _plain(answer: Json) -> Mapping[str, Json]:
    if isinstance(answer, mcp_types.ElicitResult):
        return answer.model_dump(mode="json")
    return answer if is_object(answer) else {}
