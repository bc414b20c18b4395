"""What clients of both eras are told of changes, and what they are not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import httpx2
import mcp_types
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from shelf import served
from teller import PLACE, Ear, Teller, listening, subscribe

from mcpbridge.errors import ConfigError
from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.bus import LocalBus
from mcpbridge.server.identity import RequestContext
from mcpbridge.server.listen import Listen as ListenHandler
from mcpbridge.server.lowlevel import SourceServer, to_server
from mcpbridge.tools import Caller, Tool

Listen: TypeAlias = Callable[[SourceServer], AbstractAsyncContextManager[tuple[Client, Ear]]]


@pytest.fixture
def teller() -> Teller:
    return Teller()


@pytest.fixture(params=["memory", "http"])
def listen(request: pytest.FixtureRequest, era: str) -> Listen:
    @asynccontextmanager
    async def opened(server: SourceServer) -> AsyncGenerator[tuple[Client, Ear]]:
        if request.param == "memory":
            async with listening(server, era) as both:
                yield both
            return
        async with served(to_asgi(server)) as url, listening(url, era) as both:
            yield both

    return opened


def _server(source: Teller, **more: Any) -> SourceServer:
    return to_server(source, name="teller", pause=0.01, **more)


@pytest.mark.req("GW-08", "UP-08")
async def test_a_tool_more_is_told_and_then_listed(teller: Teller, listen: Listen) -> None:
    async with listen(_server(teller)) as (client, ear):
        teller.put("new")
        assert await ear.next() == "ToolsListChanged"
        assert "new" in [tool.name for tool in (await client.list_tools()).tools]


@pytest.mark.req("GW-08", "UP-07")
async def test_an_update_of_a_subscribed_resource_is_told(teller: Teller, listen: Listen) -> None:
    async with listen(_server(teller)) as (_, ear):
        teller.touch()
        assert await ear.next() == "ResourceUpdated"


@pytest.mark.req("VIS-01")
async def test_a_change_that_the_caller_cannot_see_is_not_told(teller: Teller, listen: Listen) -> None:
    async with listen(_server(teller)) as (client, ear):
        await client.list_tools()
        del teller.tools["secret"]  # ann's alone
        teller.tell("tool")
        teller.touch()
        assert await ear.next() == "ResourceUpdated"
        assert ear.heard.empty()


@pytest.mark.req("VIS-01")
async def test_a_resource_that_was_taken_away_is_not_told_of(teller: Teller, listen: Listen) -> None:
    async with listen(_server(teller)) as (_, ear):
        teller.gone.add(None)
        teller.touch()
        teller.put("new")
        assert await ear.next() == "ToolsListChanged"
        assert ear.heard.empty()


@pytest.mark.req("FLT-33")
async def test_a_listing_that_flaps_is_told_once_in_a_pause(teller: Teller, listen: Listen) -> None:
    async with listen(to_server(teller, name="teller", pause=60)) as (client, ear):
        teller.put("new")
        assert await ear.next() == "ToolsListChanged"
        for n in range(50):
            teller.put(f"new{n}")
            await client.call_tool("book")
        assert ear.heard.empty()


async def test_what_changes_by_itself_is_told_when_it_does(teller: Teller, listen: Listen) -> None:
    async with listen(_server(teller)) as (client, ear):
        await client.list_tools()
        teller.tools["late"] = Tool(name="late")
        teller.edge = time.time() + 0.05
        teller.touch()  # whoever waits looks at the new edge
        assert [await ear.next(), await ear.next()] == ["ResourceUpdated", "ToolsListChanged"]


async def test_a_source_is_watched_while_somebody_listens(teller: Teller, listen: Listen) -> None:
    server = _server(teller)
    assert not teller.listeners
    async with listen(server):
        assert len(teller.listeners) == 1
    async with asyncio.timeout(10):
        await teller.alone.wait()
    assert not teller.subscribers[PLACE]
    assert len(server.newsroom) == 0


@pytest.mark.req("GW-07")
async def test_a_bus_carries_the_news_of_another_replica(teller: Teller, listen: Listen) -> None:
    bus, other = LocalBus(), Teller()
    _server(other, bus=bus)
    async with listen(_server(teller, bus=bus)) as (_, ear):
        teller.tools["new"] = Tool(name="new")
        other.tell("tool")
        assert await ear.next() == "ToolsListChanged"


async def test_a_resource_that_is_not_there_is_not_subscribed_to(teller: Teller) -> None:
    server = _server(teller)
    async with Client(server, mode="legacy") as client:
        with pytest.raises(MCPError, match="Unknown resource"):
            await subscribe(client, "shelf:///none")
    async with listening(server, "2026-07-28", uris=("shelf:///none", PLACE)) as (_, ear):
        assert ear.granted.resource_subscriptions == [PLACE]


async def test_an_unsubscribed_resource_is_told_no_more(teller: Teller) -> None:
    async with listening(_server(teller), "legacy") as (client, ear):
        params = mcp_types.UnsubscribeRequestParams(uri=PLACE)
        await client.session.send_request(mcp_types.UnsubscribeRequest(params=params), mcp_types.EmptyResult)
        assert teller.subscribers[PLACE] == []
        teller.put("new")
        assert await ear.next() == "ToolsListChanged"


async def test_a_server_that_ends_says_so_to_those_who_listen(teller: Teller) -> None:
    server = _server(teller)
    async with listening(server, "2026-07-28") as (_, ear):
        server.newsroom.close_all()
        assert await ear.next() == "end"


async def test_only_so_many_listen_at_once(teller: Teller) -> None:
    server = _server(teller)
    few = ListenHandler(server.newsroom, most=1)
    server.add_request_handler("subscriptions/listen", mcp_types.SubscriptionsListenRequestParams, few)
    async with listening(server, "2026-07-28"), Client(server, mode="2026-07-28") as second:
        with pytest.raises(MCPError, match="Too many clients"):
            async with second.listen(tools_list_changed=True):
                pass


async def test_a_client_without_a_session_cannot_subscribe(teller: Teller) -> None:
    app = to_asgi(_server(teller), stateless=True)
    async with served(app) as url, Client(url, mode="legacy") as client:
        with pytest.raises(MCPError, match="keeps no sessions"):
            await subscribe(client, PLACE)


async def _identify(ctx: RequestContext) -> Caller:
    return Caller(user=ctx.request.headers["x-user"] if ctx.request else None)


@pytest.mark.req("GW-05")
async def test_a_session_serves_the_caller_who_opened_it_alone(teller: Teller) -> None:
    http = httpx2.AsyncClient(headers={"x-user": "ann"})
    async with (
        served(to_asgi(_server(teller, identify=_identify))) as url,
        http,
        Client(streamable_http_client(url, http_client=http), mode="legacy") as client,
    ):
        await client.list_tools()
        http.headers["x-user"] = "bob"
        with pytest.raises(MCPError):
            await client.list_tools()


@pytest.mark.parametrize("wrong", [{"listing_ttl": -1}, {"pause": -1}])
def test_negative_seconds_are_refused(teller: Teller, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="negative"):
        to_server(teller, name="teller", **wrong)
