"""HTTP headers: white space around them, and `Mcp-Param-*`, arguments that a client repeats for proxies to read."""

from __future__ import annotations

from collections.abc import Set

from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import MCP_PARAM_HEADER_PREFIX, validate_mcp_param_headers
from starlette.datastructures import Headers
from starlette.types import Scope

from mcpbridge.server.errors import is_modern
from mcpbridge.server.identity import RequestContext, scope_of
from mcpbridge.source.base import ToolSource
from mcpbridge.tools import Call

_PREFIX = MCP_PARAM_HEADER_PREFIX.lower().encode()


_SPACE = b" \t"


def trimmed(scope: Scope) -> Scope:
    """The request without white space around header values, which is no part of them (RFC 9110 section 5.5).

    Some of the parsers under ASGI servers leave it where it is, and what looks at the headers compares them.
    """
    headers = scope["headers"]
    if all(value == value.strip(_SPACE) for _, value in headers):
        return scope
    return {**scope, "headers": [(name, value.strip(_SPACE)) for name, value in headers]}


class HeaderMismatch(Exception):
    """A header says something else than the arguments. `error` is what the client is told."""

    def __init__(self, error: MCPError) -> None:
        super().__init__(error.error.message)
        self.error = error


async def check_param_headers(ctx: RequestContext, call: Call, source: ToolSource, mirrored: Set[str]) -> None:
    """Compares the headers with the arguments (MCP 2026-07-28, transports, `x-mcp-header`).

    A proxy may have decided by the header. This stands here and not in the SDK's own hook, which does not know who
    calls and would show what a hidden tool's schema says. Looked at are requests with such a header, and calls of the
    tools in `mirrored`, which were listed with one.

    Raises: HeaderMismatch, ToolNotFound.
    """
    scope = scope_of(ctx)
    if call.kind != "tool" or not is_modern(ctx.protocol_version):
        return
    if not scope:
        return
    if call.name not in mirrored and not any(name.startswith(_PREFIX) for name, _ in scope["headers"]):
        return
    tool = await source.get_tool(call.name, call.caller)
    rejection = validate_mcp_param_headers(tool.input_schema, call.arguments, Headers(scope=dict(scope)))
    if rejection is not None:
        raise HeaderMismatch(MCPError(code=rejection.code, message=rejection.message))
