"""The answers of `Approve` that are no result: each a failure that a model can read and act upon. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import mcp_types

from mcpbridge.errors import Failure
from mcpbridge.source.answer import failed
from mcpbridge.tools import Call
from mcpbridge.wrap.approval import ApprovalRequest
from mcpbridge.wrap.approval_text import VALUE, visible

Refusal: TypeAlias = Literal[
    "policy_denied",
    "approval_denied",
    "approval_expired",
    "approval_timed_out",
    "approval_used",
    "approval_invalid",
    "approvals_unavailable",
]

_WORDS: Mapping[Refusal, tuple[str, str]] = {
    "policy_denied": (
        "the gateway's policy does not allow this call",
        "Do not try again; choose another way or tell the user.",
    ),
    "approval_denied": (
        "the approval was denied",
        "Do not try again with the same arguments; tell the user what was refused.",
    ),
    "approval_expired": (
        "the approval was given, and not used in time",
        "Call again with the same arguments to ask anew.",
    ),
    "approval_timed_out": (
        "nobody decided in time",
        "Tell the user that nobody answered. Calling again with the same arguments asks anew.",
    ),
    "approval_used": (
        "this approval was used already",
        "The call may have run: check its outcome first. To run it once more, call again, which asks anew.",
    ),
    "approval_invalid": (
        "this approval is not for this call",
        "Call again without the request state, which asks anew.",
    ),
    "approvals_unavailable": (
        "approvals can't be looked up now",
        "Nothing was sent. Try again later.",
    ),
}


def refused(
    code: Refusal, call: Call, request: ApprovalRequest | None = None, *, reason: str = ""
) -> mcp_types.CallToolResult:
    """The call was not run, and why."""
    message, hint = _WORDS[code]
    told = visible(reason or (request.reason if request else ""), VALUE)
    return failed(
        Failure(
            code=code,
            message=f"{call.name!r} was not run: {message}" + (f" ({told})" if told else ""),
            hint=hint,
            retryable=code == "approvals_unavailable",
            id=call.id,
            details={"approval": request.id, "by": request.by} if request else {},
        )
    )


def too_late(call: Call, request: ApprovalRequest) -> mcp_types.CallToolResult:
    """The request's time is over: nobody decided, or the yes was not used."""
    return refused("approval_timed_out" if request.decided is None else "approval_expired", call, request)


def required(call: Call, request: ApprovalRequest, now: float) -> mcp_types.CallToolResult:
    """The call waits: somebody has to decide on the request by its id."""
    seconds = max(0, round(request.expires - now))
    return failed(
        Failure(
            code="approval_required",
            message=f"{call.name!r} waits for a person's approval; its id is {request.id}",
            hint=f"Ask the user to approve {request.id}, then call again with exactly the same arguments "
            f"within {seconds} seconds.",
            id=call.id,
            details={
                "approval": request.id,
                "expires_in": seconds,
                "tool": request.tool,
                "arguments_digest": request.arguments_digest,
            },
        )
    )
