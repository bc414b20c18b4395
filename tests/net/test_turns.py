"""An upstream that hangs fills its own places, and nobody else's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import mcp_types
import pytest
from mcp.server.lowlevel import Server

from mcpbridge.build import guarded
from mcpbridge.errors import Failure
from mcpbridge.net.limits import Limits
from mcpbridge.net.turns import NoTurn, Turns
from mcpbridge.net.upstream import Answer, Upstream
from mcpbridge.openapi.declare import declare
from mcpbridge.rest import RestSource
from mcpbridge.router import Router
from mcpbridge.source.answer import error_of
from mcpbridge.source.base import ToolSource
from mcpbridge.tools import Call
from mcpbridge.upstream.source import McpSource
from wild import hang_up, wild_server

HEALTHY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Hanging:
    """Takes every request, answers none, and knows how many there were at once."""

    def __init__(self) -> None:
        self.open = self.most = 0
        self.full = asyncio.Event()
        self.expected = 0

    async def behave(self, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most = max(self.most, self.open)
        if self.open == self.expected:
            self.full.set()
        try:
            await reader.read()
        finally:
            self.open -= 1


async def healthy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(HEALTHY)
        await writer.drain()
        await reader.readuntil(b"\r\n\r\n")


def one_read(url: str, **limits: Any) -> RestSource:
    return RestSource([declare("read", method="GET", path="/x")], base_url=url, limits=Limits(**limits))


@asynccontextmanager
async def both(hanging: Hanging, pending: int, **limits: Any) -> AsyncGenerator[ToolSource]:
    """A gateway before a hung and a healthy upstream, with calls pending at the hung one."""
    hanging.expected = min(pending, int(limits.get("calls", 100)))
    async with wild_server(hanging.behave) as hung, wild_server(healthy) as well:
        router = Router({"hung": one_read(hung, **limits), "well": one_read(well)})
        async with guarded(router) as gateway:
            waiting = [asyncio.create_task(gateway.call(Call(name="hung__read"))) for _ in range(pending)]
            if pending:
                await asyncio.wait_for(hanging.full.wait(), 20)
            try:
                yield gateway
            finally:
                for task in waiting:
                    task.cancel()
                await asyncio.gather(*waiting, return_exceptions=True)


async def p99(source: ToolSource, calls: int = 300) -> float:
    """Seconds of the slowest but one in a hundred."""
    taken = list[float]()
    for _ in range(calls):
        began = time.perf_counter()
        assert error_of(await source.call(Call(name="well__read"))) is None
        taken.append(time.perf_counter() - began)
    return sorted(taken)[int(calls * 0.99)]


@pytest.mark.req("RES-03", "FLT-08")
async def test_a_hundred_calls_that_hang_change_nothing_for_another_upstream() -> None:
    figures = dict[int, float]()
    for _ in range(5):  # other programs of the machine make single runs slower, never quicker
        for pending in (0, 100):
            async with both(Hanging(), pending) as gateway:
                figures[pending] = min(figures.get(pending, 9.0), await p99(gateway))
        if figures[100] < figures[0] * 1.5 + 0.002:
            break

    assert figures[100] < figures[0] * 1.5 + 0.002, figures


@pytest.mark.req("RES-03")
async def test_calls_beyond_the_limit_never_reach_the_upstream_and_hear_that_it_is_busy() -> None:
    hanging = Hanging()
    async with both(hanging, 3, calls=3, turn=0.1) as gateway:
        found = error_of(await gateway.call(Call(name="hung__read")))
        assert found
        assert (found.code, found.sent, found.retryable) == ("busy", "no", True)
        assert "3 calls under way" in found.message

    assert hanging.most == 3


@pytest.mark.req("RES-03")
async def test_a_wait_for_a_turn_ends_before_the_deadline_and_says_that_nothing_left() -> None:
    async with wild_server(Hanging().behave) as url:
        upstream = Upstream(limits=Limits(calls=1, turn=60, deadline=0.5))
        results = await asyncio.gather(*(upstream.send(httpx2.Request("POST", url)) for _ in range(2)))
        await upstream.aclose()

    assert {(each.code, each.sent) for each in results if isinstance(each, Failure)} == {
        ("timeout", "unknown"),
        ("busy", "no"),
    }


@pytest.mark.req("RES-03")
async def test_whoever_waits_comes_in_when_a_call_ends() -> None:
    async with wild_server(healthy) as url:
        upstream = Upstream(limits=Limits(calls=2))
        results = await asyncio.gather(*(upstream.send(httpx2.Request("GET", url)) for _ in range(40)))
        await upstream.aclose()

    assert all(isinstance(each, Answer) for each in results)


@pytest.mark.parametrize("times", [3, 10])
async def test_calls_that_fail_or_are_cancelled_give_their_places_back(times: int) -> None:
    async with wild_server(hang_up) as url:
        upstream = Upstream(limits=Limits(calls=1, turn=5))
        for _ in range(times):
            task = asyncio.create_task(upstream.send(httpx2.Request("GET", url)))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert isinstance(await upstream.send(httpx2.Request("GET", url)), Failure)
        await upstream.aclose()


async def test_a_wait_that_is_cancelled_takes_no_place() -> None:
    turns = Turns(Limits(calls=1, turn=5))
    async with turns:
        waiting = asyncio.create_task(turns.__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
    async with turns:
        pass

    assert waiting.cancelled()


async def test_nobody_waits_longer_than_the_limit_says() -> None:
    turns = Turns(Limits(calls=1, turn=0.05))
    async with turns:
        with pytest.raises(NoTurn):
            await turns.__aenter__()


@pytest.mark.req("RES-03", "FLT-08")
async def test_an_mcp_server_that_hangs_is_busy_too() -> None:
    begun = asyncio.Event()

    async def call(_ctx: object, _params: mcp_types.CallToolRequestParams) -> mcp_types.CallToolResult:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def tools(_ctx: object, _params: object) -> mcp_types.ListToolsResult:
        return mcp_types.ListToolsResult(tools=[mcp_types.Tool(name="hang", input_schema={"type": "object"})])

    server: Server[object] = Server("hanging", on_list_tools=tools, on_call_tool=call)
    limits = Limits(calls=1, turn=0.1)
    async with McpSource(server, limits=limits) as source:
        first = asyncio.create_task(source.call(Call(name="hang")))
        await asyncio.wait_for(begun.wait(), 10)
        found = error_of(await source.call(Call(name="hang")))
        first.cancel()
        await asyncio.wait([first])

    assert found
    assert (found.code, found.sent, found.retryable) == ("busy", "no", True)
