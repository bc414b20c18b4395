"""Questions for a person, put to a client of either era.

Inside, a question is an `InputRequiredResult`. A client of 2026-07-28 or later gets it as it is, answers, and sends its
request again. An older one is asked by requests of ours while its own waits, and we call again for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import mcp_types

from mcpbridge.errors import Failure
from mcpbridge.server.channel import can_answer
from mcpbridge.server.requested import inward, outward
from mcpbridge.source.answer import failed
from mcpbridge.source.base import Answer
from mcpbridge.tools import Call, ClientChannel, Json

ROUNDS = 10
"""How often one call may ask; clients of 2026-07-28 stop there too."""

CANCELLED: Json = {"action": "cancel"}
"""The answer of a client that gave none."""

Ask = Callable[[Call], Awaitable[Answer]]


async def settle(call: Call, ask: Ask) -> Answer:
    """The answer to a call, after the client was asked whatever had to be asked of it."""
    call = call if call.request_state is None else inward(call)
    answer = await ask(call)
    for _ in range(ROUNDS):
        if not isinstance(answer, mcp_types.InputRequiredResult):
            return answer
        requests = answer.input_requests or {}
        client = call.client or ClientChannel()
        if not can_answer(client, requests):
            return failed(_cannot_be_asked(call))
        if client.put is None:
            return outward(answer)
        responses = {key: await client.put(request) or CANCELLED for key, request in requests.items()}
        call = replace(call, input_responses=responses, request_state=answer.request_state)
        answer = await ask(call)
    return failed(_asked_too_often(call)) if isinstance(answer, mcp_types.InputRequiredResult) else answer


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
