"""Questions for a person, put to a client of either era.

Inside, a question is an `InputRequiredResult`. A client of 2026-07-28 or later gets it as it is, answers, and sends its
request again. An older one is asked by requests of ours while its own waits, and we call again for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import mcp_types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from pydantic import ValidationError

from mcpbridge.errors import Failure
from mcpbridge.server.channel import can_answer
from mcpbridge.server.errors import is_modern
from mcpbridge.source.answer import failed
from mcpbridge.source.base import Answer
from mcpbridge.tools import Call, ClientChannel, Json

ROUNDS = 10
"""How often one call may ask; clients of 2026-07-28 stop there too."""

PATIENCE = 600.0
"""Seconds that a person has for one answer."""

CANCELLED: Json = {"action": "cancel"}
"""The answer of a client that gave none."""

_RESULTS: Mapping[type[mcp_types.InputRequest], type[mcp_types.Result]] = {
    mcp_types.ElicitRequest: mcp_types.ElicitResult,
    mcp_types.CreateMessageRequest: mcp_types.CreateMessageResult,
    mcp_types.ListRootsRequest: mcp_types.ListRootsResult,
}

Ask = Callable[[Call], Awaitable[Answer]]


async def settle(ctx: ServerRequestContext[Any, Any], call: Call, ask: Ask) -> Answer:
    """The answer to a call, after the client was asked whatever had to be asked of it."""
    answer = await ask(call)
    for _ in range(ROUNDS):
        if not isinstance(answer, mcp_types.InputRequiredResult):
            return answer
        requests = answer.input_requests or {}
        if not can_answer(ctx, call.client or ClientChannel(), requests):
            return failed(_cannot_be_asked(call))
        if is_modern(ctx.protocol_version):
            return answer
        responses = {key: await _put(ctx, request) for key, request in requests.items()}
        call = replace(call, input_responses=responses, request_state=answer.request_state)
        answer = await ask(call)
    return failed(_asked_too_often(call)) if isinstance(answer, mcp_types.InputRequiredResult) else answer


async def _put(ctx: ServerRequestContext[Any, Any], request: mcp_types.InputRequest) -> Json:
    """The client's answer to one question; where it gives none, that the question was cancelled."""
    metadata = ServerMessageMetadata(related_request_id=ctx.request_id)
    try:
        result = await ctx.session.send_request(
            request, _RESULTS[type(request)], request_read_timeout_seconds=PATIENCE, metadata=metadata
        )
    except (MCPError, ValidationError):
        return CANCELLED
    return result.model_dump(by_alias=True, mode="json", exclude_none=True)


def _cannot_be_asked(call: Call) -> Failure:
    return Failure(
        code="input_required",
        message=f"{call.name!r} needs an answer from a person, and this client can't be asked",
        hint="Use a client that supports elicitation.",
        id=call.id,
    )


def _asked_too_often(call: Call) -> Failure:
    return Failure(
        code="input_required",
        message=f"{call.name!r} asked {ROUNDS} times and still has a question",
        hint="Call again, and answer every question.",
        id=call.id,
    )
