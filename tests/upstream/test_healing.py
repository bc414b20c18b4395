"""Upstreams that go away and come back: what was lost is opened again, and no call is sent twice."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import peer
import pytest
import uvicorn
from peer import HELLO, Scripted, listening
from watching import text, until

from mcpbridge.errors import Failure, UpstreamError
from mcpbridge.net.limits import Limits
from mcpbridge.source.answer import error_of
from mcpbridge.tools import ANYONE, Call
from mcpbridge.upstream.backoff import Backoff
from mcpbridge.upstream.link import AT_ONCE
from mcpbridge.upstream.source import McpSource

SOON = Backoff(first=0.01, most=0.05, restarts=1000)
ECHO = {"name": "echo", "inputSchema": {"type": "object"}}
DONE: dict[str, Any] = {"content": [{"type": "text", "text": "done"}]}
JSON = {"content-type": "application/json"}


class Server:
    """A server on one port that can be stopped and started again."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/mcp"
        self._task: asyncio.Task[None] | None = None
        self._running: uvicorn.Server | None = None

    async def start(self, app: Any) -> None:
        config = uvicorn.Config(app, port=self.port, log_level="critical", ws="none", timeout_graceful_shutdown=0)
        self._running = uvicorn.Server(config)
        self._task = asyncio.create_task(self._running.serve())
        await until(lambda: self._running is not None and self._running.started)

    async def stop(self) -> None:
        if self._running is not None and self._task is not None:
            self._running.should_exit = True
            self._running.force_exit = True
            await self._task


@asynccontextmanager
async def restarting() -> AsyncGenerator[Server]:
    port = await _free_port()
    server = Server(port)
    try:
        yield server
    finally:
        await server.stop()


async def _free_port() -> int:
    async with await asyncio.start_server(_silent, "127.0.0.1", 0) as free:
        return int(free.sockets[0].getsockname()[1])


@pytest.mark.req("UP-03")
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_server_that_was_restarted_is_used_again(mode: str) -> None:
    async with restarting() as server:
        await server.start(peer.server().streamable_http_app())
        async with McpSource(server.url, mode=mode, backoff=SOON) as source:
            assert text(await source.call(Call(name="echo"))) == "{}"
            await server.stop()
            down = error_of(await source.call(Call(name="echo")))
            assert down is not None
            assert (down.code, down.retryable, down.sent) == ("unreachable", True, "no")
            await server.start(peer.server().streamable_http_app())
            await _works(source)


@pytest.mark.req("UP-03", "FLT-01")
async def test_a_call_whose_server_dies_is_unknown_and_sent_once() -> None:
    calls = 0

    async def dying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        message = json.loads(await reader.readexactly(length))
        reply: dict[str, Any] = {"initialize": HELLO, "tools/list": {"tools": [ECHO]}}.get(message["method"], {})
        if message["method"] == "tools/call":
            calls += 1
            writer.transport.abort()
            return
        body = json.dumps({"jsonrpc": "2.0", "id": message.get("id"), "result": reply}).encode()
        status = b"200 OK" if "id" in message else b"202 Accepted"
        writer.write(b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nConnection: close\r\n" % status)
        writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(dying, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
        async with McpSource(url, mode="legacy") as source:
            begun = time.monotonic()
            failure = error_of(await source.call(Call(name="echo")))
            assert time.monotonic() - begun < 5
    assert failure is not None
    assert (failure.code, failure.sent, calls) == ("connection_lost", "unknown", 1)


@pytest.mark.req("UP-03")
@pytest.mark.parametrize("refusal", [(404, {}, b""), (404, JSON, b"{}"), (400, JSON, b'{"error": "no valid session"}')])
async def test_a_call_in_a_session_that_was_forgotten_was_not_done_and_may_be_sent_again(refusal: Any) -> None:
    def hello(message: dict[str, Any]) -> Any:
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": HELLO}
        return (200, {**JSON, "mcp-session-id": "s1"}, json.dumps(answer).encode())

    app = Scripted({"initialize": hello, "tools/list": {"tools": [ECHO]}, "tools/call": refusal})
    async with listening(app) as url, McpSource(url, mode="legacy") as source:
        failure = error_of(await source.call(Call(name="echo")))
        app.replies["tools/call"] = DONE
        assert error_of(await source.call(Call(name="echo"))) is None
    assert failure is not None
    assert (failure.code, failure.sent, failure.retryable) == ("session_lost", "no", True)


@pytest.mark.req("UP-03", "UP-08")
async def test_a_listing_is_read_again_after_a_restart() -> None:
    told: list[str] = []
    async with restarting() as server:
        await server.start(peer.server().streamable_http_app())
        async with McpSource(server.url, mode="legacy", backoff=SOON) as source:
            source.watch(told.append)
            assert len(await source.list_tools(ANYONE)) == len(peer.TOOLS)
            await server.stop()
            await server.start(peer.server(peer.TOOLS[3:5]).streamable_http_app())
            await _works(source)
            await until(lambda: told)
            assert [tool.name for tool in await source.list_tools(ANYONE)] == ["echo", "environment"]


@pytest.mark.req("UP-02")
async def test_a_session_that_ends_leaves_the_other_calls_in_it_alone() -> None:
    held, waiting = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and dict(scope["headers"]).get(b"x-slow"):
            waiting.set()
            await held.wait()
        await scripted(scope, receive, send)

    def call(message: dict[str, Any]) -> Any:
        return (404, {}, b"") if message["params"]["arguments"] else DONE

    def hello(message: dict[str, Any]) -> Any:
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": HELLO}
        return (200, {**JSON, "mcp-session-id": "s1"}, json.dumps(answer).encode())

    class Slow(httpx2.Auth):
        def auth_flow(self, request: httpx2.Request) -> Any:
            if b'"slow"' in request.content:
                request.headers["x-slow"] = "1"
            yield request

    listed = {"tools": [ECHO, {**ECHO, "name": "slow"}]}
    scripted = Scripted({"initialize": hello, "tools/list": listed, "tools/call": call})
    async with listening(app) as url, McpSource(url, mode="legacy", auth=Slow()) as source:
        await source.list_tools(ANYONE)
        slow = asyncio.create_task(source.call(Call(name="slow")))
        async with asyncio.timeout(20):
            await waiting.wait()
        lost = error_of(await source.call(Call(name="echo", arguments={"n": 1})))
        held.set()
        assert error_of(await slow) is None
    assert lost is not None
    assert lost.code == "session_lost"


@pytest.mark.req("UP-02")
async def test_status_tells_how_it_goes() -> None:
    async with restarting() as server, McpSource(server.url, backoff=Backoff(first=5.0)) as source:
        states = [(await source.status()).state]
        with pytest.raises(UpstreamError):
            await source.list_tools(ANYONE)
        failed = await source.status()
        source.reconnect()
        await server.start(peer.server().streamable_http_app())
        await source.list_tools(ANYONE)
        connected = await source.status()
    assert states == ["pending"]
    assert (failed.state, failed.code) == ("failed", "unreachable")
    assert failed.since is not None
    assert failed.next_retry is not None
    assert time.time() - 20 < failed.since < failed.next_retry < time.time() + 20
    assert (connected.state, connected.code, connected.message) == ("connected", "", "")


@pytest.mark.req("FLT-09")
async def test_a_name_that_does_not_resolve_says_so() -> None:
    failure = await _failure("http://no-such-host.invalid/mcp")
    assert (failure.code, failure.sent) == ("unreachable", "no")
    assert "resolved" in failure.message


@pytest.mark.req("FLT-09")
async def test_a_certificate_that_is_not_good_says_so_and_a_good_server_is_used_without_a_restart(
    tmp_path: Path,
) -> None:
    port = await _free_port()
    certificate = await _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with McpSource(f"https://127.0.0.1:{port}/mcp", backoff=SOON) as source:
        async with await asyncio.start_server(_silent, "127.0.0.1", port, ssl=context):
            failure = error_of(await source.call(Call(name="echo")))
            status = await source.status()
        assert failure is not None
        assert (failure.code, failure.retryable, status.state, status.code) == ("tls", False, "failed", "tls")
        assert status.next_retry is None


@pytest.mark.req("FLT-09")
async def test_what_was_wrong_with_a_server_is_forgotten_when_it_is_right() -> None:
    app = Scripted({"initialize": (401, {}, b""), "tools/list": {"tools": [ECHO]}, "tools/call": DONE})
    async with listening(app) as url, McpSource(url, backoff=SOON) as source:
        failure = error_of(await source.call(Call(name="echo")))
        status = await source.status()
        app.replies["initialize"] = HELLO
        await _works(source)
        assert (await source.status()).state == "connected"
    assert failure is not None
    assert (failure.code, failure.status, failure.sent) == ("unauthorized", 401, "no")
    assert (status.state, status.code) == ("auth_required", "unauthorized")


@pytest.mark.req("FLT-29")
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_cancelled_call_ends_its_request_and_leaves_no_task(mode: str) -> None:
    hanging, ended = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def heard() -> Any:
            message = await receive()
            if b'"hang"' in message.get("body", b""):
                hanging.set()
            if b"notifications/cancelled" in message.get("body", b"") or message["type"] == "http.disconnect":
                ended.set()
            return message

        await inner(scope, heard, send)

    inner = peer.server().streamable_http_app()
    async with listening(app) as url, McpSource(url, mode=mode) as source:
        await source.list_tools(ANYONE)
        mine = {task for task in asyncio.all_tasks() if "mcpbridge" in task.get_name()}
        call = asyncio.create_task(source.call(Call(name="hang")))
        async with asyncio.timeout(20):
            await hanging.wait()
        ended.clear()
        call.cancel()
        async with asyncio.timeout(1):
            await ended.wait()
        assert {task for task in asyncio.all_tasks() if "mcpbridge" in task.get_name()} == mine
        assert text(await source.call(Call(name="echo"))) == "{}"


@pytest.mark.req("FLT-35")
async def test_many_upstreams_that_were_restarted_together_come_back_spread_and_soon() -> None:
    """A hundred sources at one server: the thousand of the promise differ by their number alone."""
    opening = most = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal opening, most
        message = await receive()

        async def again() -> Any:
            return message

        counts = b'"initialize"' in message.get("body", b"")
        opening += counts
        most = max(most, opening)
        await asyncio.sleep(0.05)  # a server that starts is slow
        opening -= counts
        await scripted(scope, again, send)

    scripted = Scripted({"tools/list": {"tools": [ECHO]}, "tools/call": DONE})
    async with restarting() as server:
        await server.start(app)
        sources = [McpSource(server.url, mode="legacy", backoff=Backoff(first=2.0)) for _ in range(100)]
        for source in sources:
            await source.__aenter__()
        await asyncio.gather(*(source.list_tools(ANYONE) for source in sources))
        await server.stop()
        for source in sources:
            source.reconnect()
        nexts = {*await asyncio.gather(*(_next_retry(source) for source in sources))}
        most = 0
        await server.start(app)
        await until(lambda: most)
        await asyncio.gather(*(_connected(source) for source in sources))
        for source in sources:
            await source.__aexit__(None, None, None)
    assert len(nexts) > 20
    assert most <= AT_ONCE


async def _next_retry(source: McpSource) -> float | None:
    await source.call(Call(name="echo"))
    return (await source.status()).next_retry


async def _works(source: McpSource) -> None:
    async with asyncio.timeout(20):
        while (failure := error_of(await source.call(Call(name="echo")))) is not None:
            assert failure.sent == "no"
            await asyncio.sleep(0.01)


async def _connected(source: McpSource) -> None:
    async with asyncio.timeout(30):
        while True:
            if (await source.status()).state == "connected":
                return
            await asyncio.sleep(0.02)


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _failure(url: str) -> Failure:
    async with McpSource(url, limits=Limits(deadline=20.0)) as source:
        failure = error_of(await source.call(Call(name="echo")))
    assert failure is not None
    return failure


async def _certificate(folder: Path) -> Path:
    """A certificate that nobody signed."""
    pem = folder / "own.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    made = await asyncio.create_subprocess_exec(
        "openssl", *words, "-keyout", str(pem), "-out", str(folder / "crt"), stderr=asyncio.subprocess.DEVNULL
    )
    assert await made.wait() == 0
    pem.write_text(pem.read_text("ascii") + (folder / "crt").read_text("ascii"), "ascii")
    return pem
