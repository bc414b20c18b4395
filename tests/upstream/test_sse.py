"""The older transport over HTTP, and servers that speak another transport than was declared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import peer
import pytest
from mcp.server.sse import SseServerTransport
from peer import listening
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from watching import text

from mcpbridge.auth.static import Bearer
from mcpbridge.errors import ConfigError, Failure
from mcpbridge.net.limits import Limits
from mcpbridge.source.answer import error_of
from mcpbridge.tools import ANYONE, Call
from mcpbridge.upstream.source import McpSource


def sse_app(seen: list[Request] | None = None, refused: set[str] | None = None) -> Starlette:
    """A server over SSE at /mcp; what stands in `refused` is answered with 500."""
    transport = SseServerTransport("/messages/")
    server = peer.server()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        if seen is not None:
            seen.append(Request(scope))
        async with transport.connect_sse(scope, receive, send) as (read, write):
            await server.run(read, write, server.create_initialization_options())

    async def posted(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        if seen is not None:
            seen.append(Request(scope))
        if any(f'"{name}"'.encode() in message.get("body", b"") for name in refused or ()):
            await PlainTextResponse("no", 500)(scope, receive, send)
            return

        async def again() -> Any:
            return message

        await transport.handle_post_message(scope, again, send)

    return Starlette(routes=[Route("/mcp", _App(stream), methods=["GET"]), Mount("/messages/", posted)])


class _App:
    """An ASGI application that a route takes for one, and not for a function of a request."""

    def __init__(self, run: Any) -> None:
        self.run = run

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.run(scope, receive, send)


@asynccontextmanager
async def opened(**options: Any) -> AsyncGenerator[McpSource]:
    async with listening(sse_app()) as url, McpSource(url, **options) as source:
        yield source


@pytest.mark.req("UP-01")
@pytest.mark.parametrize("transport", ["sse", None])
async def test_a_server_over_sse_is_used_whether_that_is_declared_or_not(transport: Any) -> None:
    async with opened(transport=transport) as source:
        assert [tool.name for tool in await source.list_tools(ANYONE)] == [tool.name for tool in peer.TOOLS]
        answers = await asyncio.gather(*(source.call(Call(name="echo", arguments={"n": n})) for n in range(20)))
    assert [text(answer) for answer in answers] == [f'{{"n": {n}}}' for n in range(20)]


@pytest.mark.req("UP-01")
async def test_a_declared_transport_that_is_not_spoken_is_told_with_the_one_that_is() -> None:
    async with opened(transport="http") as source:
        failure = error_of(await source.call(Call(name="echo")))
        status = await source.status()
    _told(failure, "does not speak streamable HTTP, but SSE", "transport='sse'")
    assert (status.state, status.code) == ("failed", "wrong_transport")
    for app in (peer.server().streamable_http_app(), peer.server().streamable_http_app(stateless_http=True)):
        async with listening(app) as url, McpSource(url, transport="sse", limits=Limits(connect=2.0)) as source:
            failure = error_of(await source.call(Call(name="echo")))
        _told(failure, "does not speak SSE, but streamable HTTP", "transport='http'")


@pytest.mark.req("UP-01")
@pytest.mark.parametrize("transport", ["http", "sse", None])
async def test_an_address_without_an_mcp_server_says_so(transport: Any) -> None:
    async def page(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await Response("<h1>hello</h1>", media_type="text/html")(scope, receive, send)

    async with listening(page) as url, McpSource(url, transport=transport) as source:
        failure = error_of(await source.call(Call(name="echo")))
    assert failure is not None
    assert (failure.code, failure.sent) == ("no_mcp_server", "no")
    assert "check the URL" in failure.hint


@pytest.mark.req("UP-02", "UP-04")
async def test_a_message_that_is_refused_fails_its_call_alone() -> None:
    async with listening(sse_app(refused={"refuse"})) as url, McpSource(url, transport="sse") as source:
        failure = error_of(await source.call(Call(name="refuse")))
        assert text(await source.call(Call(name="echo"))) == "{}"
    assert failure is not None
    assert (failure.code, failure.status, failure.sent) == ("upstream_error", 500, "yes")


@pytest.mark.req("UP-09")
async def test_headers_and_auth_go_on_every_request_over_sse() -> None:
    seen: list[Request] = []
    async with listening(sse_app(seen)) as url:
        source = McpSource(url, transport="sse", auth=Bearer("t0ken"), headers={"x-tenant": "acme"})
        async with source:
            await source.call(Call(name="echo"))
    assert len(seen) >= 4
    assert {(each.headers["authorization"], each.headers["x-tenant"]) for each in seen} == {("Bearer t0ken", "acme")}


@pytest.mark.req("UP-02")
async def test_a_call_over_sse_ends_at_the_deadline_or_when_it_is_cancelled() -> None:
    async with opened(transport="sse", limits=Limits(deadline=1.0)) as source:
        await source.list_tools(ANYONE)
        failure = error_of(await source.call(Call(name="hang")))
        cancelled = asyncio.create_task(source.call(Call(name="hang")))
        await asyncio.wait({cancelled}, timeout=0.05)
        cancelled.cancel()
        assert text(await source.call(Call(name="echo"))) == "{}"
    assert failure is not None
    assert (failure.code, failure.sent) == ("timeout", "unknown")


async def test_a_stream_that_sends_its_messages_elsewhere_is_not_followed() -> None:
    async def stream(scope: Any, receive: Any, send: Any) -> None:
        body = "event: endpoint\ndata: https://elsewhere.example/messages\n\n"
        await Response(body, media_type="text/event-stream")(scope, receive, send)

    async with listening(stream) as url, McpSource(url, transport="sse", auth=Bearer("t0ken")) as source:
        failure = error_of(await source.call(Call(name="echo")))
    assert failure is not None
    assert failure.code in ("wrong_transport", "no_mcp_server")


def test_a_transport_has_to_go_with_its_target() -> None:
    with pytest.raises(ConfigError, match="StdioServerParameters"):
        McpSource("http://localhost/mcp", transport="stdio")
    with pytest.raises(ConfigError, match="for a URL"):
        McpSource(peer.server(), transport="http")
    with pytest.raises(ConfigError, match="is none"):
        McpSource("http://localhost/mcp", transport="smoke")  # type: ignore[arg-type]  # what a file may say


def _told(failure: Failure | None, message: str, hint: str) -> None:
    assert failure is not None
    assert (failure.code, failure.sent) == ("wrong_transport", "no")
    assert message in failure.message
    assert hint in failure.hint


@pytest.mark.req("UP-03")
async def test_a_stream_that_ends_is_noticed_and_opened_again() -> None:
    ending = asyncio.Event()
    inner = sse_app()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def gone() -> Any:
            await ending.wait()
            return {"type": "http.disconnect"}

        ends = scope.get("method") == "GET" and not ending.is_set()
        await inner(scope, gone if ends else receive, send)

    async with listening(app) as url, McpSource(url, transport="sse", limits=Limits(deadline=10)) as source:
        assert text(await source.call(Call(name="echo"))) == "{}"
        hanging = asyncio.create_task(source.call(Call(name="hang")))
        await asyncio.wait({hanging}, timeout=0.1)
        ending.set()
        failure = error_of(await hanging)
        assert failure is not None
        assert (failure.code, failure.sent) == ("connection_lost", "unknown")
        assert text(await source.call(Call(name="echo"))) == "{}"
