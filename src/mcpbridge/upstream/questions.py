"""What an upstream may ask a person through us: labelled with where it comes from, and no secrets. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import mcp_types

from mcpbridge.errors import Failure

_SECRET: Final = re.compile(
    r"pass(?:word|wd|phrase|code)|secret|credential|private.?key|api.?key|(?:access|refresh|auth|bearer).?token|^token$"
    r"|\bcvv\b|\bcvc\b|^pin$|\botp\b|card.?number",
    re.IGNORECASE,
)
"""Members of a form that ask for what nobody should type into one (MCP 2025-11-25, elicitation, security)."""


def labelled(requests: Mapping[str, mcp_types.InputRequest], where: str) -> mcp_types.InputRequests | Failure:
    """The questions as a person gets to see them, or why they are not put."""
    for request in requests.values():
        if (wanted := _secret_in(request)) is not None:
            return refused(where, f"it asks for {wanted!r} in a form")
    return {name: _labelled(request, where) for name, request in requests.items()}


def refused(where: str, reason: str) -> Failure:
    """A question that is not passed on."""
    return Failure(
        code="question_refused",
        message=f"{where} asked something that is not passed on: {reason}",
        hint="Give what it needs to its configuration, or in the arguments of the call.",
        sent="unknown",
    )


def _labelled(request: mcp_types.InputRequest, where: str) -> mcp_types.InputRequest:
    if not isinstance(request, mcp_types.ElicitRequest):
        return request
    params = request.params.model_copy(update={"message": f"{where} asks: {request.params.message}"})
    return request.model_copy(update={"params": params})


def _secret_in(request: mcp_types.InputRequest) -> str | None:
    if not isinstance(request, mcp_types.ElicitRequest):
        return None
    if not isinstance(request.params, mcp_types.ElicitRequestFormParams):
        return None
    properties: Any = request.params.requested_schema.get("properties")
    members: Mapping[str, Any] = cast("Mapping[str, Any]", properties) if isinstance(properties, Mapping) else {}
    return next((name for name, member in members.items() if _is_secret(name, member)), None)


def _is_secret(name: str, member: object) -> bool:
    shown: Mapping[str, Any] = cast("Mapping[str, Any]", member) if isinstance(member, Mapping) else {}
    return shown.get("format") == "password" or any(
        isinstance(text, str) and _SECRET.search(text) for text in (name, shown.get("title"))
    )
