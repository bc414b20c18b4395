"""What the client behind a request can do: be asked, and hear of progress and logs."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeAlias

import anyio
import mcp_types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import LOG_LEVEL_META_KEY
from pydantic import ValidationError

from mcpbridge.server.connections import level_of
from mcpbridge.server.errors import is_modern
from mcpbridge.tools import LOG_LEVELS, ClientChannel, Json, LogLevel

_Context: TypeAlias = ServerRequestContext[Any, Any]

PATIENCE = 600.0
"""Seconds that a person has for one answer."""

_RESULTS: dict[type[mcp_types.InputRequest], type[mcp_types.Result]] = {
    mcp_types.ElicitRequest: mcp_types.ElicitResult,
    mcp_types.CreateMessageRequest: mcp_types.CreateMessageResult,
    mcp_types.ListRootsRequest: mcp_types.ListRootsResult,
}


def channel_of(ctx: _Context) -> ClientChannel:
    """What this client declared, as far as it can be used on this request.

    A client of the older era is asked by a request of ours, so there has to be a way back: there is none over HTTP
    without sessions. `elicitation: {}` means a form there (MCP 2025-06-18 knew nothing else).
    """
    modern = is_modern(ctx.protocol_version)
    declared = ctx.session.client_capabilities if modern or ctx.session.can_send_request else None
    elicitation = declared.elicitation if declared else None
    level = _wanted(ctx) if modern else level_of(ctx)
    return ClientChannel(
        form=elicitation is not None and (elicitation.form is not None or elicitation.url is None),
        url=elicitation is not None and elicitation.url is not None,
        sampling=declared is not None and declared.sampling is not None,
        roots=declared is not None and declared.roots is not None,
        report=_reporter(ctx),
        log=None if level is None else _logger(ctx, level),
        log_level=level,
        put=None if modern else _putter(ctx),
    )


def can_answer(client: ClientChannel, requests: mcp_types.InputRequests) -> bool:
    """Whether the client said that it can answer all of these."""
    return all(_can_answer(client, request) for request in requests.values())


def _can_answer(client: ClientChannel, request: mcp_types.InputRequest) -> bool:
    if isinstance(request, mcp_types.ElicitRequest):
        return client.url if isinstance(request.params, mcp_types.ElicitRequestURLParams) else client.form
    return client.sampling if isinstance(request, mcp_types.CreateMessageRequest) else client.roots


def _wanted(ctx: _Context) -> LogLevel | None:
    """The level that a client of 2026-07-28 asked for on this request; without it, it must get no log."""
    level: Json = (ctx.meta or {}).get(LOG_LEVEL_META_KEY)
    return level if level in LOG_LEVELS else None


def _reporter(ctx: _Context) -> Any:
    async def report(progress: float, total: float | None, message: str | None) -> None:
        await _unless_gone(ctx.session.report_progress(progress, total, message))

    return report


def _logger(ctx: _Context, lowest: LogLevel) -> Any:
    async def log(level: LogLevel, data: Json, logger: str | None) -> None:
        if LOG_LEVELS.index(level) < LOG_LEVELS.index(lowest):
            return
        params = mcp_types.LoggingMessageNotificationParams(level=level, data=data, logger=logger)
        notification = mcp_types.LoggingMessageNotification(params=params)
        await _unless_gone(ctx.session.send_notification(notification, ctx.request_id))

    return log


def _putter(ctx: _Context) -> Any:
    async def put(request: mcp_types.InputRequest) -> Json:
        metadata = ServerMessageMetadata(related_request_id=ctx.request_id)
        try:
            result = await ctx.session.send_request(
                request, _RESULTS[type(request)], request_read_timeout_seconds=PATIENCE, metadata=metadata
            )
        except (MCPError, ValidationError):
            return None
        return result.model_dump(by_alias=True, mode="json", exclude_none=True)

    return put


async def _unless_gone(sending: Awaitable[None]) -> None:
    try:
        await sending
    except (anyio.BrokenResourceError, anyio.ClosedResourceError, MCPError):
        return  # the client has gone; the call itself hears of that by being cancelled
