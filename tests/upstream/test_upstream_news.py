"""What an upstream says by itself: listings that changed, resources that were updated, logs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import mcp_types
import pytest
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated, ToolsListChanged
from peer import listening
from watching import text, until

from mcpbridge.source.answer import error_of
from mcpbridge.tools import ANYONE, Call, ClientChannel, LogLevel
from mcpbridge.upstream.debounce import Debounce
from mcpbridge.upstream.source import McpSource

OBJECT = {"type": "object"}

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")  # logs of the older era


class Telling:
    """A server of both eras whose listing grows with each call of `grow`, and that tells so."""

    def __init__(self) -> None:
        self.names = ["grow", "log", "touch"]
        self.bus = InMemorySubscriptionBus()
        self.listed = 0
        self.server: Server[Any] = _Listing(  # pyright: ignore[reportDeprecated]  # logs of the older era are meant
            "telling",
            on_list_tools=self._tools,
            on_call_tool=self._call,
            on_list_resources=self._resources,
            on_subscribe_resource=self._nothing,
            on_unsubscribe_resource=self._nothing,
            on_set_logging_level=self._nothing,
            on_subscriptions_listen=ListenHandler(self.bus),
        )

    async def _tools(self, ctx: Any, params: Any) -> mcp_types.ListToolsResult:
        self.listed += 1
        return mcp_types.ListToolsResult(tools=[mcp_types.Tool(name=name, input_schema=OBJECT) for name in self.names])

    async def _resources(self, ctx: Any, params: Any) -> mcp_types.ListResourcesResult:
        return mcp_types.ListResourcesResult(resources=[mcp_types.Resource(uri="note:///a", name="a")])

    async def _nothing(self, ctx: Any, params: Any) -> mcp_types.EmptyResult:
        return mcp_types.EmptyResult()

    async def _call(self, ctx: Any, params: mcp_types.CallToolRequestParams) -> mcp_types.CallToolResult:
        if params.name == "grow":
            self.names.append(f"tool{len(self.names)}")
            await ctx.session.send_tool_list_changed()
            await self.bus.publish(ToolsListChanged())
        elif params.name == "touch":
            await ctx.session.send_resource_updated("note:///a")
            await self.bus.publish(ResourceUpdated(uri="note:///a"))
        else:
            for level in ("debug", "error"):
                data = f"{level} of {(params.arguments or {}).get('of')}"
                await ctx.session.send_log_message(level=level, data=data, related_request_id=ctx.request_id)
        return mcp_types.CallToolResult(content=[mcp_types.TextContent(text="done")])


class _Listing(Server[Any]):
    def create_initialization_options(self, *args: Any, **options: Any) -> Any:
        return super().create_initialization_options(NotificationOptions(tools_changed=True))


@asynccontextmanager
async def opened(transport: str, mode: str) -> AsyncGenerator[tuple[Telling, McpSource]]:
    telling = Telling()
    if transport == "memory":
        async with McpSource(telling.server, mode=mode) as source:
            yield telling, source
        return
    async with listening(telling.server.streamable_http_app()) as url, McpSource(url, mode=mode) as source:
        yield telling, source


@pytest.mark.req("UP-08")
@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("transport", ["memory", "http"])
async def test_a_listing_that_changed_is_told_and_read_again(transport: str, mode: str) -> None:
    told: list[str] = []
    async with opened(transport, mode) as (telling, source):
        source.watch(told.append)
        await source.list_tools(ANYONE)
        before = source.version(ANYONE)
        await _told(telling, source, told)
        assert [tool.name for tool in await source.list_tools(ANYONE)] == telling.names
        assert source.version(ANYONE) != before


@pytest.mark.req("UP-07", "UP-08")
@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("transport", ["memory", "http"])
async def test_who_watches_a_resource_is_told_until_it_has_enough(transport: str, mode: str) -> None:
    updates: list[int] = []
    async with opened(transport, mode) as (_, source):
        enough = await source.subscribe("note:///a", ANYONE, lambda: updates.append(1))
        async with asyncio.timeout(20):
            while not updates:
                await source.call(Call(name="touch"))
                await asyncio.sleep(0.02)
        enough()
        await asyncio.sleep(0)
        updates.clear()
        await source.call(Call(name="touch"))
        assert not updates


@pytest.mark.req("FLT-33", "UP-08")
async def test_a_listing_that_changes_all_the_time_is_told_and_read_once_in_a_while() -> None:
    told: list[str] = []
    async with opened("memory", "legacy") as (telling, source):
        source.watch(told.append)
        await source.list_tools(ANYONE)
        for _ in range(200):
            assert error_of(await source.call(Call(name="grow"))) is None
            await source.list_tools(ANYONE)
        assert len(told) <= 2
        assert telling.listed <= 4


@pytest.mark.req("FLT-33")
async def test_the_first_news_is_told_at_once_and_the_last_never_lost() -> None:
    told: list[str] = []
    debounce = Debounce[str](0.05, told.append)
    for _ in range(50):
        debounce.news("a")
    assert told == ["a"]
    debounce.news("b")
    assert told == ["a", "b"]
    await until(lambda: len(told) > 2)
    debounce.close()
    assert told == ["a", "b", "a"]


@pytest.mark.req("UP-06")
@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("transport", ["memory", "http"])
async def test_logs_reach_the_call_that_wants_them(transport: str, mode: str) -> None:
    heard: dict[str, list[Any]] = {"one": [], "other": []}

    def client(of: str) -> ClientChannel:
        async def log(level: LogLevel, data: Any, logger: str | None) -> None:
            heard[of].append(data)

        return ClientChannel(log=log, log_level="warning")

    async with opened(transport, mode) as (_, source):
        await source.list_tools(ANYONE)
        for of in heard:
            assert text(await source.call(Call(name="log", arguments={"of": of}, client=client(of)))) == "done"
        await until(lambda: all(heard.values()))
    assert heard == {of: [f"error of {of}"] for of in heard}


async def _told(telling: Telling, source: McpSource, told: list[str]) -> None:
    """Changes the listing until that is heard of: a stream of news may not be open yet."""
    async with asyncio.timeout(20):
        while not told:
            await source.call(Call(name="grow"))
            await asyncio.sleep(0.02)
