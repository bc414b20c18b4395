"""Servers that are none, speak another version, break off or flood: the failure says so, and the rest goes on."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx2
import pytest
from peer import Scripted, listening
from watching import text

from mcpbridge.auth.static import Bearer
from mcpbridge.errors import AuthRequired, Failure, UpstreamError
from mcpbridge.net.limits import Limits
from mcpbridge.router import Router
from mcpbridge.source.answer import error_of
from mcpbridge.tools import ANYONE, Call
from mcpbridge.upstream.events import Events
from mcpbridge.upstream.functions import Functions
from mcpbridge.upstream.source import McpSource

ECHO = {"name": "echo", "inputSchema": {"type": "object"}}
LISTED: dict[str, Any] = {"tools": [ECHO]}
STREAM = {"content-type": "text/event-stream"}


def add(a: int, b: int) -> int:
    return a + b


async def failing(app: Scripted, **options: Any) -> Failure:
    async with listening(app) as url, McpSource(url, **options) as source:
        failure = error_of(await source.call(Call(name="echo")))
    assert failure is not None
    return failure


def event(message: dict[str, Any], **more: Any) -> bytes:
    answer = {"jsonrpc": "2.0", "id": message["id"], **more}
    return f"event: message\ndata: {json.dumps(answer)}\n\n".encode()


@pytest.mark.req("UP-01")
async def test_a_server_of_another_version_says_so() -> None:
    error = {"code": -32022, "message": "no", "data": {"supported": ["2031-01-01"], "requested": "2026-07-28"}}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
    refusal = (400, {"content-type": "application/json"}, body)
    failure = await failing(Scripted({"server/discover": refusal, "initialize": refusal}))
    assert (failure.code, failure.sent) == ("protocol_version", "no")


@pytest.mark.req("UP-04")
async def test_a_server_that_wants_a_login_says_how() -> None:
    challenge = {"www-authenticate": 'Bearer resource_metadata="https://x.example/meta"'}
    app = Scripted({"initialize": (401, challenge, b"")})
    async with listening(app) as url, McpSource(url) as source:
        with pytest.raises(UpstreamError) as caught:
            await source.list_tools(ANYONE)
        status = await source.status()
    assert caught.value.failure.details["www_authenticate"] == challenge["www-authenticate"]
    assert (status.state, status.code, status.next_retry) == ("auth_required", "unauthorized", None)


@pytest.mark.req("UP-04")
async def test_a_strategy_that_needs_a_login_says_where() -> None:
    class Wanted(httpx2.Auth):
        def auth_flow(self, request: httpx2.Request) -> Any:
            raise AuthRequired("log in first", url="https://login.example")
            yield request

    failure = await failing(Scripted({}), auth=Wanted())
    assert (failure.code, failure.sent) == ("auth_required", "no")
    assert failure.details == {"url": "https://login.example"}


@pytest.mark.req("UP-02")
async def test_bad_upstreams_cost_the_others_nothing() -> None:
    async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hangs, "127.0.0.1", 0) as server:
        hung = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
        sources = {
            "hung": McpSource(hung, limits=Limits(connect=1.0)),
            "gone": McpSource("http://127.0.0.1:9/mcp"),
            "good": Functions(add),
        }
        async with Router(sources) as router:
            begun = time.monotonic()
            assert (await router.call(Call(name="good__add", arguments={"a": 1, "b": 2}))).model_dump()
            assert time.monotonic() - begun < 1
            assert [tool.name for tool in await router.list_tools(ANYONE)] == ["good__add"]
            each = await router.statuses()
    assert (each["hung"].state, each["hung"].code) == ("failed", "timeout")
    assert (each["gone"].state, each["gone"].code) == ("failed", "unreachable")
    assert each["good"].state == "connected"


@pytest.mark.req("ATK-68")
async def test_fifty_thousand_tools_are_cut_and_that_is_told() -> None:
    tools = [{**ECHO, "name": f"t{number}"} for number in range(50_000)]
    app = Scripted({"tools/list": {"tools": tools}})
    async with listening(app) as url, McpSource(url, limits=Limits(operations=1000)) as source:
        assert len(await source.list_tools(ANYONE)) == 1000
        assert "only the first 1000" in (await source.status()).message


@pytest.mark.req("ATK-68")
@pytest.mark.parametrize(
    "content", [[{"type": "text", "text": "x" * 3_000_000}], [{"type": "text", "text": ""}] * 100_000]
)
@pytest.mark.parametrize("streamed", [True, False])
async def test_an_answer_that_floods_fails_its_call_alone(content: Sequence[Any], *, streamed: bool) -> None:
    def call(message: dict[str, Any]) -> Any:
        result: dict[str, Any] = {"content": content if message["params"]["arguments"] else []}
        return (200, STREAM, event(message, result=result)) if streamed else result

    app = Scripted({"tools/list": LISTED, "tools/call": call})
    async with listening(app) as url, McpSource(url) as source:
        failure = error_of(await source.call(Call(name="echo", arguments={"flood": True})))
        assert text(await source.call(Call(name="echo"))) == ""
    assert failure is not None
    assert (failure.code, failure.sent) == ("answer_too_large", "yes")


@pytest.mark.req("ATK-68")
async def test_a_tool_whose_name_looks_like_a_listing_gets_no_larger_answer() -> None:
    listed = {"tools": [{**ECHO, "name": 'x","method":"a/list"'}]}
    app = Scripted({"tools/list": listed, "tools/call": {"content": [{"type": "text", "text": "x" * 50_000}]}})
    async with listening(app) as url, McpSource(url, limits=Limits(answer=20_000)) as source:
        [tool] = await source.list_tools(ANYONE)
        failure = error_of(await source.call(Call(name=tool.name)))
    assert failure is not None
    assert failure.code == "answer_too_large"


@pytest.mark.req("ATK-28")
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_credential_that_an_error_says_back_is_masked(*, streamed: bool) -> None:
    def call(message: dict[str, Any]) -> Any:
        error = {"code": -32000, "message": "bad token: canary-token-77"}
        if streamed:
            return (200, STREAM, event(message, error=error))
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}).encode()
        return (200, {"content-type": "application/json"}, body)

    failure = await failing(Scripted({"tools/list": LISTED, "tools/call": call}), auth=Bearer("canary-token-77"))
    assert "canary" not in str(failure)
    assert "bad token" in failure.message


class Parts(httpx2.AsyncByteStream):
    def __init__(self, parts: Sequence[bytes | Exception]) -> None:
        self._parts = parts

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        for part in self._parts:
            if isinstance(part, Exception):
                raise part
            yield part


async def events_of(*parts: bytes | Exception, most: int = 1000) -> bytes:
    response = httpx2.Response(200, stream=Parts(parts), request=httpx2.Request("POST", "http://x"))
    over = Failure(code="answer_too_large", message="over")
    events = Events(response, "http://x", most=most, over=over, clean=lambda said: said)
    return b"".join([part async for part in events])


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
async def test_events_pass_as_they_are_however_they_are_cut(end: bytes) -> None:
    said = (b"data: one" + end) * 3 + b"data: half"
    for size in (1, 2, 5, 100):
        assert await events_of(*(said[start : start + size] for start in range(0, len(said), size))) == said


@pytest.mark.req("ATK-68")
async def test_an_event_that_is_too_large_becomes_a_failure_and_ends_the_stream() -> None:
    said = await events_of(b"data: one\n\n", b"data: " + b"x" * 2000, b"\n\ndata: two\n\n")
    assert said.startswith(b"data: one\n\nevent: message\n")
    assert b"answer_too_large" in said
    assert b"xxx" not in said
    assert b"two" not in said


@pytest.mark.req("UP-04")
async def test_a_stream_that_breaks_off_tells_so_unless_it_can_be_resumed() -> None:
    said = await events_of(b"data: one\n\n", b"data: ha", httpx2.ReadError("reset"))
    assert b'"code": "connection_lost"' in said
    assert b'"sent": "unknown"' in said
    with pytest.raises(httpx2.ReadError):
        await events_of(b"id: 7\ndata: one\n\n", httpx2.ReadError("reset"))
