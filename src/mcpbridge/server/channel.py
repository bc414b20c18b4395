"""What the client behind a request can do: be asked, and hear of progress."""

from __future__ import annotations

from typing import Any

import anyio
import mcp_types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from mcpbridge.server.errors import is_modern
from mcpbridge.tools import ClientChannel


def channel_of(ctx: ServerRequestContext[Any, Any]) -> ClientChannel:
    """What this client declared, as far as it can be used on this request.

    A client of the older era is asked by a request of ours, so there has to be a way back: there is none over HTTP
    without sessions. `elicitation: {}` means a form there (MCP 2025-06-18 knew nothing else).
    """
    declared = ctx.session.client_capabilities
    elicitation = declared.elicitation if declared else None
    reachable = is_modern(ctx.protocol_version) or ctx.session.can_send_request
    if elicitation is None or not reachable:
        return ClientChannel(report=_reporter(ctx))
    form = elicitation.form is not None or elicitation.url is None
    return ClientChannel(form=form, url=elicitation.url is not None, report=_reporter(ctx))


def can_answer(ctx: ServerRequestContext[Any, Any], client: ClientChannel, requests: mcp_types.InputRequests) -> bool:
    """Whether the client said that it can answer all of these."""
    declared = ctx.session.client_capabilities or mcp_types.ClientCapabilities()
    return all(_can_answer(client, declared, request) for request in requests.values())


def _can_answer(client: ClientChannel, declared: mcp_types.ClientCapabilities, request: mcp_types.InputRequest) -> bool:
    if isinstance(request, mcp_types.ElicitRequest):
        return client.url if isinstance(request.params, mcp_types.ElicitRequestURLParams) else client.form
    return (declared.sampling if isinstance(request, mcp_types.CreateMessageRequest) else declared.roots) is not None


def _reporter(ctx: ServerRequestContext[Any, Any]) -> Any:
    async def report(progress: float, total: float | None, message: str | None) -> None:
        try:
            await ctx.session.report_progress(progress, total, message)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, MCPError):
            return  # the client has gone; the call itself hears of that by being cancelled

    return report
