from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import ssl
import time
import tracemalloc
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, cast

import httpx2
import pytest

from mcpbridge.auth.static import ApiKey, Bearer
from mcpbridge.errors import ConfigError, Failure
from mcpbridge.net.limits import Limits
from mcpbridge.net.tls import shared_context
from mcpbridge.net.upstream import Answer, Upstream
from mcpbridge.secret import Secret
from wild import Behave, endless, hang_up, says, silent, wild_server

KIB = 1024
JSON = "HTTP/1.1 200 OK\nContent-Type: application/json"
Handler = Callable[[httpx2.Request], httpx2.Response]


def get(url: str = "https://api.example.com/x", method: str = "GET", **more: Any) -> httpx2.Request:
    return httpx2.Request(method, url, **more)


def mock(handler: Handler, **more: Any) -> Upstream:
    return Upstream(transport=httpx2.MockTransport(handler), **more)


async def meet(behave: Behave, method: str = "GET", **limits: Any) -> Answer | Failure:
    """What a call of a server of that behaviour gives."""
    async with wild_server(behave) as url:
        upstream = Upstream(limits=Limits(**limits))
        try:
            return await upstream.send(get(f"{url}/x?key=sesame", method))
        finally:
            await upstream.aclose()


def failure(answer: Answer | Failure) -> Failure:
    assert isinstance(answer, Failure)
    assert "sesame" not in answer.message
    return answer


async def test_an_answer_is_its_status_headers_and_bytes() -> None:
    answer = await meet(says(f"{JSON}\nContent-Length: 2", b"{}"))

    assert isinstance(answer, Answer)
    assert (answer.status, answer.headers["content-type"], answer.content) == (200, "application/json", b"{}")


@pytest.mark.req("REST-07", "FLT-02")
async def test_a_server_that_never_answers_ends_at_the_deadline() -> None:
    began = time.perf_counter()
    lost = failure(await meet(silent, deadline=0.5))

    assert (lost.code, lost.sent, lost.retryable) == ("timeout", "unknown", True)
    assert 0.45 <= time.perf_counter() - began < 4


@pytest.mark.req("REST-07", "FLT-03")
async def test_a_body_that_trickles_ends_at_the_deadline() -> None:
    began = time.perf_counter()
    lost = failure(await meet(endless(f"{JSON}\nContent-Length: 1000", b" ", every=0.05), deadline=0.5))

    assert (lost.code, lost.sent, lost.status) == ("timeout", "yes", 200)
    assert 0.45 <= time.perf_counter() - began < 4


@pytest.mark.req("REST-07", "FLT-03")
async def test_a_head_that_trickles_ends_at_the_deadline() -> None:
    assert failure(await meet(endless("HTTP/1.1 200 OK\nX-A: ", b"a", every=0.05), deadline=0.4)).code == "timeout"


@pytest.mark.req("REST-07")
@pytest.mark.parametrize(
    "behave",
    [
        endless(JSON, b"x" * 65_536),
        endless(f"{JSON}\nTransfer-Encoding: chunked", b"10000\r\n" + b"x" * 65_536 + b"\r\n"),
        says(f"{JSON}\nContent-Length: 999999999", b"x"),
        says(f"{JSON}\nContent-Encoding: gzip\nConnection: close", gzip.compress(b"\0" * 50_000_000)),
    ],
    ids=["endless", "endless chunks", "declared", "gzip bomb"],
)
async def test_an_answer_beyond_the_cap_is_refused_at_once(behave: Behave) -> None:
    began = time.perf_counter()
    lost = failure(await meet(behave, answer=256 * KIB))

    assert (lost.code, lost.sent, lost.status, lost.retryable) == ("answer_too_large", "yes", 200, False)
    assert time.perf_counter() - began < 5


@pytest.mark.req("REST-07")
async def test_a_large_answer_costs_no_more_memory_than_its_cap() -> None:
    chunk = b"x" * 65_536
    shared_context()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        failure(await meet(endless(JSON, chunk), answer=256 * KIB))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak - before < 4 * KIB * KIB


@pytest.mark.req("REST-07")
async def test_the_cap_counts_what_is_decompressed() -> None:
    body = gzip.compress(b'{"a":1}')
    head = f"{JSON}\nContent-Encoding: gzip\nContent-Length: {len(body)}"
    answer = await meet(says(head, body), answer=7)

    assert isinstance(answer, Answer)
    assert answer.content == b'{"a":1}'


@pytest.mark.req("REST-05", "FLT-01")
@pytest.mark.parametrize(
    ("behave", "code", "sent"),
    [
        (hang_up, "connection_lost", "unknown"),
        (says(""), "connection_lost", "unknown"),
        (says("SSH-2.0-OpenSSH"), "connection_lost", "unknown"),
        (says(f"{JSON}\nContent-Length: 100", b"half"), "connection_lost", "yes"),
        (says("HTTP/1.1 200 OK\nX: " + "a" * 300_000), "connection_lost", "unknown"),
        (says(f"{JSON}\nContent-Encoding: gzip\nContent-Length: 4", b"nope"), "bad_answer", "yes"),
    ],
    ids=["reset", "closed", "no http", "cut off", "huge head", "no gzip"],
)
async def test_a_broken_conversation_says_whether_the_request_left(behave: Behave, code: str, sent: str) -> None:
    lost = failure(await meet(behave, "POST", deadline=5))

    assert (lost.code, lost.sent) == (code, sent)


@pytest.mark.req("REST-05")
async def test_a_refused_connection_was_never_sent() -> None:
    async with wild_server(silent) as url:
        pass
    lost = failure(await Upstream().send(get(url, "POST")))

    assert (lost.code, lost.sent, lost.retryable) == ("unreachable", "no", True)
    assert lost.message.startswith(f"{url} can't be reached")


@pytest.mark.req("REST-05", "FLT-09")
async def test_a_name_that_does_not_resolve_is_told_as_such() -> None:
    def resolve(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no address") from socket.gaierror(-2, "Name or service not known")

    lost = failure(await mock(resolve).send(get()))

    assert (lost.code, lost.sent) == ("unreachable", "no")
    assert "host name that can't be resolved" in lost.message


@pytest.mark.req("REST-05", "FLT-09")
async def test_tls_with_a_server_that_speaks_none_is_told_as_such() -> None:
    async with wild_server(says("HTTP/1.1 400 Bad Request"), until=b"\x16\x03") as url:
        lost = failure(await Upstream().send(get(url.replace("http:", "https:"))))

    assert (lost.code, lost.sent, lost.retryable) == ("tls", "no", False)


@pytest.mark.req("REST-05", "FLT-09")
async def test_a_certificate_that_nobody_vouches_for_is_told_as_such(self_signed: ssl.SSLContext) -> None:
    async with wild_server(silent, context=self_signed) as url:
        lost = failure(await Upstream().send(get(url)))

    assert (lost.code, lost.sent, lost.retryable) == ("tls", "no", False)


@pytest.mark.req("REST-05")
async def test_a_handshake_that_hangs_was_never_sent() -> None:
    async with wild_server(silent, until=b"never") as url:
        lost = failure(await Upstream(limits=Limits(deadline=0.5)).send(get(url.replace("http:", "https:"))))

    assert (lost.code, lost.sent) == ("timeout", "no")


@pytest.mark.req("REST-07", "ATK-26")
@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example/x",
        "//evil.example/x",
        "http://api.example.com/x",
        "https://api.example.com:8443/x",
        "https://api.example.com.evil.example/",
        "https://user@evil.example/",
        "file:///etc/passwd",
        "https://[bad/",
        r"/\evil.example",
    ],
)
async def test_a_redirect_elsewhere_is_not_followed_and_no_key_goes_there(place: str) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.host)
        return httpx2.Response(302 if len(asked) < 2 else 200, headers={"location": place})

    upstream = mock(answer, auth=ApiKey("sesame", "X-API-Key"), headers={"X-Tenant": "t"})
    result = await upstream.send(get())

    assert isinstance(result, Answer)
    assert set(asked) == {"api.example.com"}
    assert result.status == 302 or len(asked) == 2


@pytest.mark.req("REST-07")
@pytest.mark.parametrize(
    ("status", "method", "then"),
    [(301, "GET", "GET"), (302, "HEAD", "HEAD"), (303, "POST", "GET"), (307, "POST", "POST"), (308, "PUT", "PUT")],
)
async def test_a_redirect_inside_the_origin_is_followed(status: int, method: str, then: str) -> None:
    seen: list[tuple[str, str, bytes, str | None]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append((request.method, request.url.path, request.content, request.headers.get("authorization")))
        return httpx2.Response(status, headers={"location": "/y"}) if len(seen) == 1 else httpx2.Response(200)

    result = await mock(answer, auth=Bearer("t")).send(get(method=method, content=b"body"))

    assert isinstance(result, Answer)
    assert result.status == 200
    assert seen[1] == (then, "/y", b"body" if then == method else b"", "Bearer t")


@pytest.mark.req("REST-07")
@pytest.mark.parametrize("status", [301, 302])
async def test_a_write_is_not_turned_into_a_read_by_a_redirect(status: int) -> None:
    answer = await mock(lambda _: httpx2.Response(status, headers={"location": "/y"})).send(get(method="POST"))

    assert isinstance(answer, Answer)
    assert answer.status == status


@pytest.mark.req("REST-07")
async def test_redirects_end() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return httpx2.Response(302, headers={"location": "/again"})

    result = await mock(answer).send(get())

    assert isinstance(result, Answer)
    assert (result.status, len(asked)) == (302, 6)


@pytest.mark.req("REST-09", "ATK-20")
async def test_static_headers_win_over_the_request_and_the_strategy_over_both() -> None:
    def echo(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=dict(request.headers))

    upstream = mock(echo, auth=ApiKey("right", "X-Key"), headers={"X-Key": "static", "X-Tenant": Secret("acme")})
    answer = await upstream.send(get(headers={"X-Key": "forged", "x-tenant": "forged"}))

    assert isinstance(answer, Answer)
    assert b'"x-key":"right"' in answer.content
    assert b'"x-tenant":"acme"' in answer.content


@pytest.mark.parametrize(("given", "agent"), [({}, "mcpbridge"), ({"user-agent": "mine"}, "mine")])
async def test_defaults_leave_what_the_request_says(given: dict[str, str], agent: str) -> None:
    answer = await mock(lambda request: httpx2.Response(200, text=request.headers["user-agent"])).send(
        get(headers=given)
    )

    assert isinstance(answer, Answer)
    assert answer.content == agent.encode()


@pytest.mark.req("REST-07")
async def test_cookies_of_an_upstream_are_not_kept() -> None:
    cookies: list[str | None] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        cookies.append(request.headers.get("cookie"))
        return httpx2.Response(200, headers={"set-cookie": "sid=1; Path=/"})

    upstream = mock(answer)
    await upstream.send(get())
    await upstream.send(get())

    assert cookies == [None, None]


class Steps(httpx2.Auth):
    """Asks for a token in one request, signs another with it, and looks at the answer's body."""

    requires_response_body = True

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        token = yield httpx2.Request("POST", "https://auth.example.com/token")
        request.headers["Authorization"] = token.text
        answer = yield request
        if answer.json() == {"again": True}:
            yield request


async def test_a_strategy_of_several_steps_runs_to_its_end() -> None:
    seen: list[tuple[str, str | None]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append((request.url.host, request.headers.get("authorization")))
        if request.url.host == "auth.example.com":
            return httpx2.Response(200, text="tok", headers={"content-type": "text/plain"})
        return httpx2.Response(200, json={"again": len(seen) == 2})

    result = await mock(answer, auth=Steps()).send(get())

    assert isinstance(result, Answer)
    assert result.content == b'{"again":false}'
    assert seen == [("auth.example.com", None), ("api.example.com", "tok"), ("api.example.com", "tok")]


async def test_a_strategy_that_awaits_is_driven_too() -> None:
    class Slow(httpx2.Auth):
        async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
            await asyncio.sleep(0)
            request.headers["Authorization"] = "x"
            yield request

    answer = await mock(lambda request: httpx2.Response(200, text=request.headers["authorization"]), auth=Slow()).send(
        get()
    )

    assert isinstance(answer, Answer)
    assert answer.content == b"x"


@pytest.mark.req("REST-07")
async def test_a_strategy_that_reads_the_body_reads_it_under_the_cap() -> None:
    upstream = mock(lambda _: httpx2.Response(200, content=b"x" * 2_000), auth=Steps(), limits=Limits(answer=1_000))

    assert failure(await upstream.send(get())).code == "answer_too_large"


async def test_digest_authentication_works() -> None:
    challenge = {"www-authenticate": 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'}

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200) if "authorization" in request.headers else httpx2.Response(401, headers=challenge)

    result = await mock(answer, auth=httpx2.DigestAuth("u", "p")).send(get())

    assert isinstance(result, Answer)
    assert result.status == 200


async def test_a_failure_after_an_answered_step_does_not_say_that_nothing_left() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/x":
            return httpx2.Response(303, headers={"location": "/y"})
        raise httpx2.ConnectError("refused")

    assert failure(await mock(answer).send(get(method="POST"))).sent == "unknown"


@pytest.mark.req("AUTH-01")
async def test_no_log_holds_a_key_of_the_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with wild_server(says(f"{JSON}\nContent-Length: 2", b"{}")) as url:
        upstream = Upstream(auth=ApiKey("sesame", "key", where="query"))
        assert isinstance(await upstream.send(get(f"{url}/x")), Answer)
        await upstream.aclose()

    assert caplog.text
    assert "sesame" not in caplog.text


@pytest.mark.req("REST-08")
async def test_connections_are_kept_and_few() -> None:
    opened: list[object] = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        while True:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
            await reader.readuntil(b"\r\n\r\n")

    async with wild_server(behave) as url:
        upstream = Upstream(limits=Limits(connections=2))
        answers = await asyncio.gather(*(upstream.send(get(url)) for _ in range(20)))
        await upstream.aclose()

    assert all(isinstance(answer, Answer) for answer in answers)
    assert len(opened) <= 2


async def test_a_connection_that_the_server_closed_while_idle_is_not_used_again() -> None:
    closed = asyncio.Event()

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        closed.set()

    async with wild_server(behave) as url:
        upstream = Upstream()
        for _ in range(3):
            assert isinstance(await upstream.send(get(url)), Answer)
            await asyncio.wait_for(closed.wait(), 2)
            closed.clear()
        await upstream.aclose()


@pytest.mark.req("AUTH-01", "REST-07")
@pytest.mark.parametrize("place", ["", "#part", "?page=2", "/y"])
async def test_a_masked_key_is_never_sent_masked(place: str) -> None:
    sent: list[bytes] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.url.raw_path)
        return httpx2.Response(302 if len(sent) == 1 else 200, headers={"location": place})

    await mock(answer, auth=ApiKey("sesame", "key", where="query")).send(get())

    assert sent[0] == b"/x?key=sesame"
    assert b"*" not in b"".join(sent)


@pytest.mark.req("REST-08")
def test_one_tls_context_is_shared() -> None:
    assert shared_context() is shared_context()


@pytest.mark.req("FLT-29")
async def test_a_cancelled_call_closes_its_connection_and_leaves_no_task() -> None:
    asked, closed = asyncio.Event(), asyncio.Event()

    async def behave(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        closed.set()

    async with wild_server(behave) as url:
        before = asyncio.all_tasks()
        task = asyncio.create_task(Upstream(auth=Bearer("t")).send(get(url)))
        await asked.wait()
        task.cancel()
        await asyncio.wait_for(closed.wait(), 1)
        await asyncio.wait([task])
        left = {each for each in asyncio.all_tasks() - before if not each.done()}

    assert task.cancelled()
    assert len(left) <= 1  # the server's own, for the connection


class Foreign:
    """Stands in for the class of another package."""


Foreign.__module__ = "httpx._client"


@pytest.mark.parametrize("part", ["transport", "auth"])
def test_an_object_of_httpx_is_refused_with_the_name_of_httpx2(part: str) -> None:
    with pytest.raises(ConfigError, match="httpx2"):
        Upstream(**cast("Any", {part: Foreign()}))


@pytest.mark.parametrize("part", ["transport", "auth"])
@pytest.mark.parametrize("value", ["x", ("user", "password"), 5])
def test_what_is_no_transport_or_strategy_is_a_config_error(part: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=part):
        Upstream(**{part: value})


@pytest.mark.parametrize(
    "headers", [{"X A": "v"}, {"X": "a\r\nb"}, {"X": 5}, {"é": "v"}, {"X": " v"}, {"": "v"}, {"X": "é"}]
)
def test_a_static_header_that_can_not_be_sent_is_a_config_error(headers: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="header"):
        Upstream(headers=headers)


@pytest.mark.parametrize(
    "limits", [{"deadline": 0}, {"answer": -1}, {"page": True}, {"idle": "3"}, {"connect": float("nan")}]
)
def test_a_limit_that_is_no_number_above_zero_is_a_config_error(limits: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(limits))):
        Limits(**limits)


@pytest.mark.req("REST-05", "VAULT-03")
@pytest.mark.parametrize("said", [RuntimeError("the vault says sesame"), TimeoutError("sesame"), ConfigError("sesame")])
async def test_a_credential_that_can_not_be_had_is_a_failure_and_nothing_left(said: Exception) -> None:
    def fetch() -> str:
        raise said

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(200)

    sent = list[httpx2.Request]()
    upstream = mock(answer, auth=Bearer(fetch))
    lost = failure(await upstream.send(get()))

    assert (lost.code, lost.sent, sent) == ("auth_failed", "no", [])
    assert type(said).__name__ in lost.message


async def test_a_strategy_that_fails_after_an_answer_does_not_say_that_nothing_left() -> None:
    class Later(httpx2.Auth):
        def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response]:
            yield request
            raise ValueError

    assert failure(await mock(lambda _: httpx2.Response(401), auth=Later()).send(get())).sent == "unknown"


@pytest.mark.req("VAULT-03")
def test_no_part_of_it_shows_a_secret_header() -> None:
    upstream = mock(lambda _: httpx2.Response(200), headers={"X-Key": Secret("sesame"), "X-Other": "sesame"})

    assert "sesame" not in repr(vars(upstream))
