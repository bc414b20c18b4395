"""`subscriptions/listen`: a request whose answer is the stream of news (MCP 2026-07-28, subscriptions)."""

from __future__ import annotations

from typing import Any, Final

import mcp_types
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import SUBSCRIPTION_ID_META_KEY, event_to_notification
from mcp_types import INTERNAL_ERROR, INVALID_REQUEST

from mcpbridge.errors import ToolNotFound, UpstreamError
from mcpbridge.server.identity import RequestContext, caller_of
from mcpbridge.server.news import News, Newsroom
from mcpbridge.tools import Kind

STREAMS: Final = 1024
"""How many clients may listen at the same time."""

URIS: Final = 256
"""How many resources one of them may subscribe to; the acknowledgement leaves out what is more."""


class Listen:
    """The handler. Each stream tells its caller's news alone; what a caller can't see is not acknowledged."""

    def __init__(self, newsroom: Newsroom, *, most: int = STREAMS) -> None:
        self._newsroom = newsroom
        self._most = most
        self._streams = 0

    async def __call__(
        self, ctx: RequestContext, params: mcp_types.SubscriptionsListenRequestParams
    ) -> mcp_types.SubscriptionsListenResult:
        """Serves one stream, until the client leaves or the server ends it."""
        if ctx.request_id is None:
            raise MCPError(code=INVALID_REQUEST, message="subscriptions/listen needs a request id")
        if self._streams >= self._most:
            raise MCPError(code=INTERNAL_ERROR, message="Too many clients listen already: try again later")
        wanted = params.notifications
        news = self._newsroom.open(caller_of(ctx), _kinds(wanted))
        self._streams += 1
        try:
            return await _stream(ctx, news, wanted)
        finally:
            self._streams -= 1
            self._newsroom.close(news)


async def _stream(
    ctx: RequestContext, news: News, wanted: mcp_types.SubscriptionFilter
) -> mcp_types.SubscriptionsListenResult:
    meta: dict[str, Any] = {SUBSCRIPTION_ID_META_KEY: ctx.request_id}
    await news.read()
    granted = mcp_types.SubscriptionFilter(
        tools_list_changed=wanted.tools_list_changed or None,
        prompts_list_changed=wanted.prompts_list_changed or None,
        resources_list_changed=wanted.resources_list_changed or None,
        resource_subscriptions=[uri for uri in wanted.resource_subscriptions or () if await _granted(news, uri)]
        or None,
    )
    acknowledged = mcp_types.SubscriptionsAcknowledgedNotificationParams(notifications=granted, _meta=meta)
    await ctx.session.send_notification(
        mcp_types.SubscriptionsAcknowledgedNotification(params=acknowledged), ctx.request_id
    )
    while events := await news.next():
        for event in events:
            await ctx.session.send_notification(event_to_notification(event, meta), ctx.request_id)
    return mcp_types.SubscriptionsListenResult(_meta=meta)


async def _granted(news: News, uri: str) -> bool:
    if news.subscribed >= URIS:
        return False
    try:
        await news.subscribe(uri)
    except (ToolNotFound, UpstreamError):
        return False
    return True


def _kinds(wanted: mcp_types.SubscriptionFilter) -> frozenset[Kind]:
    kinds: set[Kind] = set()
    if wanted.tools_list_changed:
        kinds.add("tool")
    if wanted.prompts_list_changed:
        kinds.add("prompt")
    if wanted.resources_list_changed:
        kinds |= {"resource", "template"}
    return frozenset(kinds)
