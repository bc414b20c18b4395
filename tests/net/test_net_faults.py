"""Upstreams that fail on real sockets, as a caller of the gateway meets them: through `Retry` and `RestSource`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate

import pytest

from mcpbridge.errors import Failure
from mcpbridge.net.limits import Limits
from mcpbridge.openapi.declare import declare
from mcpbridge.rest import RestSource
from mcpbridge.source.answer import error_of
from mcpbridge.tools import Call
from mcpbridge.wrap.retry import Retry
from wild import Behave, endless, says, silent, wild_server

DONE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
OPERATIONS = [
    declare("get_note", method="GET", path="/note"),
    declare("put_note", method="PUT", path="/note"),
    declare("add_note", method="POST", path="/note"),
]

Fault = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Peer:
    """Meets the first `times` requests with a fault and answers the others; `heads` are all that it was sent."""

    def __init__(self, fault: Fault, times: int = 1, *, first: int = 0) -> None:
        self.heads: list[str] = []
        self._fault = fault
        self._ill = range(first, first + times)

    async def behave(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            self.heads.append("a request")  # the harness has read its head
            if len(self.heads) - 1 in self._ill:
                return await self._fault(writer)
            writer.write(DONE)
            await writer.drain()
            await reader.readuntil(b"\r\n\r\n")


async def reset(writer: asyncio.StreamWriter) -> None:
    """Ends the connection with a reset, the request being there."""
    writer.transport.abort()


async def close(_: asyncio.StreamWriter) -> None:
    """Ends the connection in good order, without an answer."""


def answers(head: str) -> Fault:
    async def fault(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()

    return fault


@asynccontextmanager
async def meeting(
    behave: Behave, *, deadline: float = 10.0, pauses: list[float] | None = None
) -> AsyncGenerator[Retry]:
    """A source before such a server; pauses are noted and not waited for."""

    async def sleep(seconds: float) -> None:
        if pauses is not None:
            pauses.append(seconds)

    async with wild_server(behave) as url:
        source = RestSource(OPERATIONS, base_url=url, limits=Limits(deadline=deadline))
        async with Retry(source, deadline=deadline, sleep=sleep) as layer:
            yield layer


async def outcome(layer: Retry, name: str = "get_note") -> Failure | None:
    return error_of(await layer.call(Call(name=name)))


@pytest.mark.req("FLT-02", "FLT-03", "RES-03")
@pytest.mark.parametrize(
    "behave",
    [
        silent,
        endless("HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 1000", b" ", every=0.3),
        endless("HTTP/1.1 200 OK\nX-A: ", b"a", every=0.3),
        endless("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"1\r\na\r\n", every=0.3),
    ],
    ids=["never", "body", "head", "chunks"],
)
@pytest.mark.parametrize("name", ["get_note", "add_note"])
async def test_what_does_not_end_is_ended_at_the_total_deadline(behave: Behave, name: str) -> None:
    async with meeting(behave, deadline=1.0) as layer:
        began = time.perf_counter()
        found = await outcome(layer, name)
        took = time.perf_counter() - began

    assert found
    assert found.code == ("timeout" if name == "get_note" else "outcome_unknown")
    assert 0.9 <= took < 2.0  # repeats would take it beyond; the rest is a busy machine's


@pytest.mark.req("FLT-06")
@pytest.mark.parametrize("fault", [reset, close])
@pytest.mark.parametrize("name", ["get_note", "put_note"])
async def test_a_read_or_an_idempotent_call_that_was_lost_is_repeated(fault: Fault, name: str) -> None:
    peer = Peer(fault)
    async with meeting(peer.behave) as layer:
        assert await outcome(layer, name) is None
    assert len(peer.heads) == 2


@pytest.mark.req("FLT-06", "FLT-01", "RES-02")
@pytest.mark.parametrize("fault", [reset, close])
async def test_a_write_that_was_lost_is_sent_once(fault: Fault) -> None:
    peer = Peer(fault)
    async with meeting(peer.behave) as layer:
        found = await outcome(layer, "add_note")

    assert found
    assert (found.code, found.sent, found.details["check"]) == ("outcome_unknown", "unknown", "get_note")
    assert len(peer.heads) == 1


@pytest.mark.req("FLT-06")
async def test_a_read_that_is_reset_each_time_is_repeated_once() -> None:
    peer = Peer(reset, times=99)
    async with meeting(peer.behave) as layer:
        found = await outcome(layer)

    assert found
    assert (found.code, found.details["attempts"], len(peer.heads)) == ("connection_lost", 2, 2)


@pytest.mark.req("FLT-07")
@pytest.mark.parametrize("fault", [reset, close])
async def test_a_kept_connection_that_ends_under_the_next_read_is_nothing_to_see(fault: Fault) -> None:
    peer = Peer(fault, first=1)
    async with meeting(peer.behave) as layer:
        assert await outcome(layer) is None
        assert await outcome(layer) is None
    assert len(peer.heads) == 3


@pytest.mark.req("FLT-07")
@pytest.mark.parametrize("name", ["get_note", "add_note"])
async def test_a_connection_that_was_closed_while_idle_is_not_used(name: str) -> None:
    closed = asyncio.Event()
    asked = list[None]()

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(None)
        writer.write(DONE)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        closed.set()

    async with meeting(behave) as layer:
        for _ in range(3):
            assert await outcome(layer, name) is None
            await asyncio.wait_for(closed.wait(), 5)
            closed.clear()
    assert len(asked) == 3


@pytest.mark.req("FLT-04", "RES-01")
@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("Retry-After: 3", 3.0, 3.5),
        ("Retry-After: 0", 0.0, 0.5),
        ("Retry-After: -5", 0.0, 0.5),
        ("Retry-After: soon", 0.0, 0.5),
        (f"Date: {formatdate(1e9, usegmt=True)}\r\nRetry-After: {formatdate(1e9 + 3, usegmt=True)}", 3.0, 3.5),
        (f"Date: {formatdate(1e9, usegmt=True)}\r\nRetry-After: {formatdate(1e9 - 3, usegmt=True)}", 0.0, 0.5),
    ],
    ids=["seconds", "now", "negative", "words", "date", "past date"],
)
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
async def test_a_read_waits_as_long_as_the_upstream_asks(status: str, asked: str, least: float, most: float) -> None:
    peer, pauses = Peer(answers(f"{status}\r\n{asked}")), list[float]()
    async with meeting(peer.behave, pauses=pauses) as layer:
        assert await outcome(layer) is None
    assert len(pauses) == 1
    assert least <= pauses[0] <= most


@pytest.mark.req("FLT-04", "RES-01")
@pytest.mark.parametrize("seconds", [10, 86_400, 10**11])
async def test_a_wait_beyond_the_deadline_is_told_instead(seconds: int) -> None:
    peer, pauses = Peer(answers(f"429 Too Many Requests\r\nRetry-After: {seconds}")), list[float]()
    async with meeting(peer.behave, pauses=pauses) as layer:
        found = await outcome(layer)

    assert found
    assert (found.code, found.retry_after, found.retryable, pauses) == ("rate_limited", float(seconds), True, [])


@pytest.mark.req("FLT-04", "RES-01")
async def test_a_write_that_was_turned_away_is_told_when_to_come_back() -> None:
    peer = Peer(answers("429 Too Many Requests\r\nRetry-After: 3"))
    async with meeting(peer.behave) as layer:
        found = await outcome(layer, "add_note")

    assert found
    assert (found.code, found.retry_after, len(peer.heads)) == ("rate_limited", 3.0, 1)


@pytest.mark.req("RES-01")
async def test_an_upstream_that_comes_back_is_reached_by_a_write_too() -> None:
    async with wild_server(says("HTTP/1.1 200 OK\nContent-Length: 0")) as url:
        port = int(url.rpartition(":")[2])
    servers = list[asyncio.Server]()
    peer = Peer(close, times=0)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        peer.heads.append("a request")
        writer.write(DONE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def come_back(_: float) -> None:
        servers.append(await asyncio.start_server(accept, "127.0.0.1", port))

    source = RestSource(OPERATIONS, base_url=f"http://127.0.0.1:{port}")
    async with Retry(source, sleep=come_back) as layer:
        found = await outcome(layer, "add_note")
    for server in servers:
        server.close()
        await server.wait_closed()

    assert found is None
    assert len(peer.heads) == 1
