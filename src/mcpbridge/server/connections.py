"""Clients before 2026-07-28 that stay connected: whose connection it is, what it is told, and which log it wants."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Sequence
from typing import Final

import mcp_types
from mcp.server.connection import Connection
from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import event_to_notification
from mcp_types import INVALID_REQUEST

from mcpbridge.errors import ToolNotFound
from mcpbridge.server.errors import failure_for, is_modern, protocol_error, refused, unknown
from mcpbridge.server.identity import REFUSALS, RequestContext, caller_of, scope_of
from mcpbridge.server.listen import URIS
from mcpbridge.server.news import EVENTS, News, Newsroom
from mcpbridge.tools import LOG_LEVELS, Item, Kind, LogLevel

_NEWS: Final = "mcpbridge.news"
_LEVEL: Final = "mcpbridge.level"


class Connections:
    """Server middleware that opens news for each connection that stays, and keeps it to the caller who opened it."""

    def __init__(self, newsroom: Newsroom) -> None:
        self._newsroom = newsroom

    async def __call__(self, ctx: RequestContext, call_next: CallNext) -> HandlerResult:
        if is_modern(ctx.protocol_version) or ctx.method.startswith("notifications/"):
            return await call_next(ctx)
        news = news_of(ctx)
        if news is not None and news.caller.key() != caller_of(ctx).key():
            scope_of(ctx).get(REFUSALS, []).append(ctx.method)
            raise refused()
        result = await call_next(ctx)
        if ctx.method == "initialize" and news is None:
            self._open(ctx)
        return result

    def _open(self, ctx: RequestContext) -> None:
        connection = _connection(ctx)
        if not connection.has_standalone_channel:
            return
        news = self._newsroom.open(caller_of(ctx), frozenset(EVENTS))
        connection.state[_NEWS] = news
        # an empty context: the request's own must not live on
        telling = asyncio.create_task(_tell(connection, news), name="mcpbridge news", context=contextvars.Context())
        connection.exit_stack.callback(telling.cancel)
        connection.exit_stack.callback(self._newsroom.close, news)


def news_of(ctx: RequestContext) -> News | None:
    """The news of an older client's connection; None for a request that stands alone."""
    news = _connection(ctx).state.get(_NEWS)
    return news if isinstance(news, News) else None


def was_shown(ctx: RequestContext, kind: Kind, listing: Sequence[Item]) -> None:
    """An older client was shown this listing, so it hears when it is another one."""
    if not is_modern(ctx.protocol_version) and (news := news_of(ctx)) is not None:
        news.knows(kind, listing)


async def subscribe(ctx: RequestContext, params: mcp_types.SubscribeRequestParams) -> mcp_types.EmptyResult:
    """`resources/subscribe`."""
    news = _staying(ctx)
    if news.subscribed >= URIS:
        raise MCPError(code=INVALID_REQUEST, message=f"No more than {URIS} resources can be subscribed to")
    try:
        await news.subscribe(params.uri)
    except ToolNotFound:
        raise unknown("resource", params.uri, ctx.protocol_version) from None
    except Exception as error:  # noqa: BLE001 - the edge: the SDK would show it to the client
        raise protocol_error(failure_for(error, "", f"the subscription to {params.uri!r}")) from None
    return mcp_types.EmptyResult()


async def unsubscribe(ctx: RequestContext, params: mcp_types.UnsubscribeRequestParams) -> mcp_types.EmptyResult:
    """`resources/unsubscribe`; there is nothing to do where nothing was subscribed to."""
    _staying(ctx).unsubscribe(params.uri)
    return mcp_types.EmptyResult()


async def set_level(ctx: RequestContext, params: mcp_types.SetLevelRequestParams) -> mcp_types.EmptyResult:
    """`logging/setLevel`: the lowest level that the client wants from now on."""
    _connection(ctx).state[_LEVEL] = params.level
    return mcp_types.EmptyResult()


def level_of(ctx: RequestContext) -> LogLevel:
    """The lowest level that an older client wants; everything until it says so (MCP 2025-11-25, logging)."""
    level = _connection(ctx).state.get(_LEVEL)
    return level if level in LOG_LEVELS else "debug"


def _staying(ctx: RequestContext) -> News:
    news = news_of(ctx)
    if news is None:
        raise MCPError(code=INVALID_REQUEST, message="This server keeps no sessions, so it can't tell of changes")
    return news


async def _tell(connection: Connection, news: News) -> None:
    await connection.initialized.wait()
    while events := await news.next():
        for event in events:
            told = event_to_notification(event, {}).model_dump(by_alias=True, mode="json", exclude_none=True)
            await connection.notify(told["method"], {key: v for key, v in told["params"].items() if key != "_meta"})


def _connection(ctx: RequestContext) -> Connection:
    """The connection that a request came on: the SDK gives it state and an exit stack, but no public name here."""
    return ctx.session._connection  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as the docstring says
