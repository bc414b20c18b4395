"""What a caller is told of a login: the question, the failures, and the tool `connect`. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

import mcp_types

from mcpbridge.errors import Failure
from mcpbridge.tools import Call, Origin, Tool

CONNECT: Final = "connect"
"""The name of the one tool that is there before a login."""

_NEEDS: Final = frozenset({"auth_required", "reconnect_required"})


def needs_login(failure: Failure | None) -> bool:
    """Whether a login of the caller's is what is missing."""
    return failure is not None and failure.code in _NEEDS


def tool_of(integration: str) -> Tool:
    """The tool that begins a login. It changes nothing by itself, and its label is ours."""
    return Tool(
        name=CONNECT,
        description=f"Log in at {integration!r}, whose tools appear after that. "
        "Gives the link that the user has to open in a browser.",
        input_schema={"type": "object", "properties": {}, "additionalProperties": False},
        access="read",
        origin=Origin(name=CONNECT, trusted=True),
        extra={"annotations": {"readOnlyHint": True}},
    )


def question(integration: str, url: str) -> mcp_types.ElicitRequest:
    """Asks the user to open the link (MCP 2025-11-25 and later, elicitation in URL mode)."""
    number = hashlib.sha256(url.encode()).hexdigest()[:32]
    message = f"{integration!r} needs you to log in. Open the page, log in, and the call goes on."
    params = mcp_types.ElicitRequestURLParams(message=message, url=url, elicitation_id=number)
    return mcp_types.ElicitRequest(params=params)


def with_link(failure: Failure, url: str, call: Call) -> Failure:
    """The failure, with the link for whoever reads text, and for programs."""
    return replace(
        failure,
        hint=f"The user has to open {url} in a browser and log in there. Then call again.",
        id=call.id,
        details={**failure.details, "url": url},
    )


def declined(integration: str, call: Call) -> Failure:
    """The user did not open the link."""
    return Failure(
        code="login_declined",
        message=f"{call.name!r} was not run: the user did not agree to log in at {integration!r}",
        hint="Ask the user whether to log in, then call again.",
        id=call.id,
    )


def connected(integration: str, count: int) -> mcp_types.CallToolResult:
    """The answer of `connect` once there is a login."""
    text = f"You are logged in at {integration!r}, which has {count} tools: list the tools again."
    return mcp_types.CallToolResult(
        content=[mcp_types.TextContent(text=text)], structured_content={"connected": True, "tools": count}
    )
