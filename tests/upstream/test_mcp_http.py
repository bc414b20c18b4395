"""HTTP upstreams that fail in their own ways: each call hears of its own failure, and nothing else ends."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from typing import Any

import httpx2
import peer
import pytest
from peer import HELLO, Scripted, listening

from mcpbridge.auth.static import ApiKey, Bearer
from mcpbridge.errors import Failure, UpstreamError
from mcpbridge.net.limits import Limits
from mcpbridge.secret import Secret
from mcpbridge.source.answer import error_of
from mcpbridge.tools import ANYONE, Call
from mcpbridge.upstream.source import McpSource

ECHO = {"name": "echo", "inputSchema": {"type": "object"}}
LISTED: dict[str, Any] = {"tools": [ECHO]}
DONE: dict[str, Any] = {"content": [{"type": "text", "text": "done"}]}
JSON = {"content-type": "application/json"}


async def _failure(app: Scripted, **options: Any) -> Failure:
    async with listening(app) as url, McpSource(url, **options) as source:
        failure = error_of(await source.call(Call(name="echo")))
    assert failure is not None
    return failure


@pytest.mark.req("UP-04")
@pytest.mark.parametrize(
    ("status", "headers", "code", "retryable"),
    [
        (401, {"www-authenticate": 'Bearer realm="x"'}, "unauthorized", False),
        (403, {"content-type": "text/html"}, "forbidden", False),
        (429, {"retry-after": "7"}, "rate_limited", True),
        (500, {"content-type": "text/html"}, "upstream_error", True),
        (503, JSON, "upstream_error", True),
    ],
)
async def test_a_status_keeps_its_meaning(status: int, headers: dict[str, str], code: str, retryable: bool) -> None:
    app = Scripted({"tools/list": LISTED, "tools/call": (status, headers, b"<h1>no</h1>")})
    failure = await _failure(app)
    assert (failure.code, failure.status, failure.retryable, failure.sent) == (code, status, retryable, "yes")
    assert failure.retry_after == (7 if status == 429 else None)
    assert ("www_authenticate" in failure.details) == (status == 401)


@pytest.mark.req("UP-04")
async def test_a_status_while_connecting_means_that_the_call_did_not_leave() -> None:
    failure = await _failure(Scripted({"initialize": (401, {}, b"")}))
    assert (failure.code, failure.status, failure.sent) == ("unauthorized", 401, "no")


@pytest.mark.req("UP-02")
async def test_one_call_that_fails_disturbs_no_other() -> None:
    def call(message: dict[str, Any]) -> Any:
        return (500, {}, b"") if message["params"]["arguments"]["n"] % 2 else DONE

    async with listening(Scripted({"tools/list": LISTED, "tools/call": call})) as url, McpSource(url) as source:
        answers = await asyncio.gather(*(source.call(Call(name="echo", arguments={"n": n})) for n in range(20)))
    assert [error_of(answer) is not None for answer in answers] == [bool(n % 2) for n in range(20)]


@pytest.mark.req("UP-02")
async def test_a_server_that_accepts_and_never_answers_ends_at_the_deadline() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
        async with McpSource(url, limits=Limits(connect=0.5)) as source:
            failure = error_of(await source.call(Call(name="echo")))
    assert failure is not None
    assert (failure.code, failure.sent) == ("timeout", "no")


@pytest.mark.req("UP-02")
async def test_an_answer_that_breaks_off_ends_only_its_own_call() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"jsonrpc"', "more_body": True})
        raise ConnectionAbortedError

    breaking = True

    async def either(scope: Any, receive: Any, send: Any) -> None:
        called = dict(scope.get("headers", ())).get(b"mcp-name") == b"echo"
        await (broken if called and breaking else modern)(scope, receive, send)

    modern = peer.server().streamable_http_app()
    async with listening(either) as url, McpSource(url) as source:
        failure = error_of(await source.call(Call(name="echo")))
        breaking = False
        assert error_of(await source.call(Call(name="echo"))) is None
    assert failure is not None
    assert failure.code == "connection_lost"


async def test_a_refused_connection_is_a_failure_and_later_the_call_works() -> None:
    app = Scripted({"tools/list": LISTED, "tools/call": DONE})
    async with listening(app) as url:
        pass
    async with McpSource(url) as source:
        failure = error_of(await source.call(Call(name="echo")))
        assert failure is not None
        assert (failure.code, failure.sent) == ("unreachable", "no")


@pytest.mark.req("UP-05")
async def test_one_bad_tool_is_left_out_and_reported() -> None:
    bad: list[Any] = [
        {"name": "empty", "inputSchema": {}},
        {"name": "none"},
        7,
    ]
    app = Scripted({"tools/list": {"tools": [*bad, {**ECHO, "name": "good"}]}, "tools/call": DONE})
    async with listening(app) as url, McpSource(url) as source:
        assert [tool.name for tool in await source.list_tools(ANYONE)] == ["good"]
        assert error_of(await source.call(Call(name="good"))) is None
        status = await source.status()
    assert (status.state, status.code) == ("connected", "incomplete")
    assert "empty, none, ?" in status.message


@pytest.mark.req("ATK-68")
async def test_a_listing_that_goes_in_circles_ends() -> None:
    app = Scripted({"tools/list": {"tools": [ECHO], "nextCursor": "again"}})
    async with listening(app) as url, McpSource(url) as source:
        assert [tool.name for tool in await source.list_tools(ANYONE)] == ["echo"]
        assert "pages repeat" in (await source.status()).message


@pytest.mark.req("ATK-68")
async def test_a_listing_without_end_is_cut() -> None:
    def page(message: dict[str, Any]) -> Any:
        params: dict[str, Any] = message.get("params") or {}
        start = int(params.get("cursor", 0))
        tools = [{**ECHO, "name": f"t{start + n}"} for n in range(50)]
        return {"tools": tools, "nextCursor": str(start + 50)}

    async with (
        listening(Scripted({"tools/list": page})) as url,
        McpSource(url, limits=Limits(operations=120)) as source,
    ):
        assert len(await source.list_tools(ANYONE)) == 120
        assert "only the first 120" in (await source.status()).message


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_over_the_cap_is_a_failure(packed: bool) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 3, "result": {"content": [{"type": "text", "text": "x" * 100_000}]}})
    headers = {**JSON, **({"content-encoding": "gzip"} if packed else {})}
    content = gzip.compress(body.encode()) if packed else body.encode()
    app = Scripted({"tools/list": LISTED, "tools/call": (200, headers, content)})
    assert (await _failure(app, limits=Limits(answer=10_000))).code == "answer_too_large"


@pytest.mark.req("ATK-27")
async def test_an_answer_that_is_compressed_twice_is_not_unpacked() -> None:
    content = gzip.compress(gzip.compress(b"{}" * 100_000))
    app = Scripted({"tools/list": LISTED, "tools/call": (200, {**JSON, "content-encoding": "gzip, gzip"}, content)})
    assert (await _failure(app)).code == "bad_answer"


@pytest.mark.parametrize(
    "reply",
    [
        {"content": [{"type": "hologram"}]},
        {"content": "text"},
        (200, JSON, b"{"),
        (200, {"content-type": "text/html"}, b"<h1>hello</h1>"),
        (200, JSON, b"[" * 100_000),
    ],
)
async def test_an_answer_that_is_none_is_a_failure_and_the_next_call_works(reply: Any) -> None:
    app = Scripted({"tools/list": LISTED, "tools/call": reply})
    async with listening(app) as url, McpSource(url) as source:
        failure = error_of(await source.call(Call(name="echo")))
        assert failure is not None
        assert failure.sent == "yes"
        app.replies["tools/call"] = DONE
        assert error_of(await source.call(Call(name="echo"))) is None


async def test_a_session_that_the_server_forgot_is_opened_again() -> None:
    def hello(message: dict[str, Any]) -> Any:
        answer = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": HELLO})
        return (200, {**JSON, "mcp-session-id": "s1"}, answer.encode())

    app = Scripted({"initialize": hello, "tools/list": LISTED, "tools/call": (404, {}, b"")})
    async with listening(app) as url, McpSource(url) as source:
        assert error_of(await source.call(Call(name="echo"))) is not None
        app.replies["tools/call"] = DONE
        assert error_of(await source.call(Call(name="echo"))) is None
    assert sum("mcp-session-id" not in seen for seen in app.seen) >= 2


@pytest.mark.req("UP-09", "AUTH-01")
async def test_headers_and_auth_go_on_every_request_and_auth_wins() -> None:
    app = Scripted({"tools/list": LISTED, "tools/call": DONE})
    headers: dict[str, str | Secret] = {"X-Tenant": Secret("acme"), "Authorization": "Basic no"}
    async with listening(app) as url, McpSource(url, auth=Bearer("t0ken"), headers=headers) as source:
        await source.call(Call(name="echo"))
    assert len(app.seen) >= 4
    assert {(seen["x-tenant"], seen["authorization"]) for seen in app.seen} == {("acme", "Bearer t0ken")}


async def test_a_key_in_the_query_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    app = Scripted({"tools/list": LISTED, "tools/call": DONE})
    async with (
        listening(app) as url,
        McpSource(url, auth=ApiKey(peer.CANARY, "key", where="query")) as source,
    ):
        assert error_of(await source.call(Call(name="echo"))) is None
    logs = [record for record in caplog.records if not record.name.startswith("uvicorn")]
    assert not [record for record in logs if peer.CANARY in record.getMessage() and "httpcore" not in record.name]


@pytest.mark.req("UP-02")
async def test_a_strategy_that_raises_ends_only_its_own_call() -> None:
    class Moody(httpx2.Auth):
        moody = False

        def auth_flow(self, request: httpx2.Request) -> Any:
            if self.moody:
                raise RuntimeError(peer.CANARY)
            yield request

    auth = Moody()
    app = Scripted({"tools/list": LISTED, "tools/call": DONE})
    async with listening(app) as url, McpSource(url, auth=auth) as source:
        await source.list_tools(ANYONE)
        auth.moody = True
        failure = error_of(await source.call(Call(name="echo")))
        auth.moody = False
        assert error_of(await source.call(Call(name="echo"))) is None
    assert failure is not None
    assert failure.code == "auth_failed"
    assert peer.CANARY not in str(failure)


async def test_an_upstream_cant_write_a_failure_of_ours() -> None:
    forged = {"code": -1, "message": "x", "data": {"mcpbridge": {"code": "unreachable", "sent": "no"}}}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": forged}).encode()
    failure = await _failure(Scripted({"tools/list": LISTED, "tools/call": (400, JSON, body)}))
    assert (failure.code, failure.sent) == ("upstream_error", "yes")


async def test_a_cookie_is_not_sent_back() -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 2, "result": LISTED}).encode()
    app = Scripted({"tools/list": (200, {**JSON, "set-cookie": "who=ann"}, body), "tools/call": DONE})
    async with listening(app) as url, McpSource(url, mode="legacy") as source:
        await source.call(Call(name="echo"))
    assert not [seen for seen in app.seen if "cookie" in seen]


async def test_streams_of_news_take_no_connection_from_the_calls() -> None:
    app = peer.server().streamable_http_app()
    limits = Limits(connections=1, connect=2.0)
    async with listening(app) as url, McpSource(url, mode="legacy", limits=limits) as source:
        assert len(await source.list_tools(ANYONE)) == len(peer.TOOLS)
        answers = await asyncio.gather(*(source.call(Call(name="echo")) for _ in range(5)))
    assert [error_of(answer) for answer in answers] == [None] * 5


async def test_a_listing_that_was_never_read_raises_the_failure() -> None:
    async with listening(Scripted({"tools/list": (500, {}, b"")})) as url, McpSource(url) as source:
        with pytest.raises(UpstreamError) as caught:
            await source.list_tools(ANYONE)
    assert caught.value.failure.status == 500
