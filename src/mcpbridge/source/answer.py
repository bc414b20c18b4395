"""What a call may give besides its result: a failure, or a question for a person.

**A failure** is one `Failure`, written by `failed` and read by `error_of`; nothing else touches its `_meta` key.

**A question** is MCP's `InputRequiredResult` (revision 2026-07-28, multi round-trip requests). Layers nest: each that
asks, or lets an inner question through and wants to remember something, keeps its own state under its own key::

    {"approve": {"own": …, "inner": {"upstream": {"own": …}}}}

`ask` begins a question, `nest` wraps an inner one, `answers` takes both apart again when the client has answered. No
other code reads or writes `request_state`. The state is plain here; the server's edge seals it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import mcp_types

from mcpbridge.errors import (
    ApprovalRequired,
    AuthRequired,
    BridgeError,
    ConfigError,
    Failure,
    InvalidArguments,
    UpstreamError,
)
from mcpbridge.source.base import Answer
from mcpbridge.tools import Call, Json

FAILURE_KEY = "mcpbridge/failure"


def failed(failure: Failure) -> mcp_types.CallToolResult:
    """The failure as a tool's answer: text for a model, the same as structured content for a program."""
    shown = failure.to_json()
    text = failure.message if not failure.hint else f"{failure.message}\n{failure.hint}"
    return mcp_types.CallToolResult(
        content=[mcp_types.TextContent(text=text)],
        structured_content={"error": shown},
        is_error=True,
        _meta={FAILURE_KEY: shown},
    )


def error_of(answer: Answer) -> Failure | None:
    """The failure that an answer carries, or None where it is a result or a question."""
    shown = (answer.meta or {}).get(FAILURE_KEY)
    return Failure.from_json(cast("Mapping[str, Json]", shown)) if isinstance(shown, dict) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What came back to one layer.

    `own` is what it had stored, None on a first round; `responses` answer its own requests; `inner` is the call
    to pass on, with what belongs to the inner layers.
    """

    own: Json
    responses: Mapping[str, Json]
    inner: Call


def ask(key: str, requests: Mapping[str, mcp_types.InputRequest], own: Json) -> mcp_types.InputRequiredResult:
    """A question of the layer `key`, which gets `own` back with the answers."""
    return mcp_types.InputRequiredResult(
        input_requests={f"{key}.{name}": request for name, request in requests.items()},
        request_state=json.dumps({key: {"own": own}}, separators=(",", ":")),
    )


def nest(result: mcp_types.InputRequiredResult, key: str, own: Json) -> mcp_types.InputRequiredResult:
    """An inner layer's question, let through by the layer `key`, which gets `own` back with the answers.

    Raises: ConfigError where an inner layer wrote a state that is not nested JSON.
    """
    inner = _state(result.request_state)
    if inner is None and result.request_state is not None:
        raise ConfigError(f"a layer inside {key!r} wrote its own request_state; use ask() or nest()")
    requests = {f"{key}/{name}": request for name, request in (result.input_requests or {}).items()}
    state: dict[str, Json] = {"own": own} if inner is None else {"own": own, "inner": inner}
    return result.model_copy(
        update={
            "input_requests": requests or None,
            "request_state": json.dumps({key: state}, separators=(",", ":")),
        }
    )


def answers(call: Call, key: str) -> Answers:
    """Takes apart what came back: this layer's state and answers, and the call for the inner layers.

    A call that carries nothing of this layer is passed on as it is: an inner layer may have asked.
    """
    state = (_state(call.request_state) or {}).get(key)
    if not isinstance(state, dict):
        return Answers(own=None, responses={}, inner=call)
    kept = cast("dict[str, Json]", state)
    given = call.input_responses or {}
    inner_state = kept.get("inner")
    inner = replace(
        call,
        request_state=None if inner_state is None else json.dumps(inner_state, separators=(",", ":")),
        input_responses=_under(given, f"{key}/") or None,
    )
    return Answers(own=kept.get("own"), responses=_under(given, f"{key}."), inner=inner)


def _under(given: Mapping[str, Json], prefix: str) -> dict[str, Json]:
    return {name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}


def _state(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        state = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", state) if isinstance(state, dict) else None


def failure_of(error: BridgeError, *, id: str = "") -> Failure:
    """The failure that an error of ours means, for an edge that answers instead of raising."""
    if isinstance(error, UpstreamError):
        return replace(error.failure, id=error.failure.id or id)
    details, hint = _told(error)
    return Failure(code=error.code, message=str(error), hint=hint, id=id, details=details)


def _told(error: BridgeError) -> tuple[dict[str, Json], str]:
    """What an error holds for a program, and what to do next."""
    match error:
        case InvalidArguments():
            problems = [problem.to_json() for problem in error.problems]
            return {"problems": problems}, "Nothing was sent. Correct the arguments and call again."
        case AuthRequired():
            told = {"url": error.url, "scopes": [*error.scopes]}
            return {name: value for name, value in told.items() if value}, "A person has to log in first."
        case ApprovalRequired():
            return {"approval": error.id}, "Call again with the same arguments when a person has approved it."
        case _:
            return {}, ""
