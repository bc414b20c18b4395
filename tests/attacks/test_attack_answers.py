"""Hostile answers on real sockets: what comes of them is bounded, in time, and tells no credential."""

from __future__ import annotations

import asyncio
import gzip
import logging
import time
import tracemalloc
import zlib
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from tapped import Tap, answering, describe, met, tapped

from mcpbridge.auth.static import ApiKey, Bearer
from mcpbridge.errors import Failure
from mcpbridge.net.limits import KIB, MIB
from mcpbridge.router import Router
from mcpbridge.source.answer import error_of
from mcpbridge.tools import Call, Caller
from wild import Behave, endless, says, silent

OK = "HTTP/1.1 200 OK\nContent-Type: application/json"
CANARY = "sesame+canary/0123=="
ESCAPED = "".join(f"\\u{ord(character):04x}" for character in CANARY)


def flood(head: str, piece: bytes, total: int) -> Behave:
    """Sends a head without its end, then as much of the piece as makes the total."""

    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head.replace("\n", "\r\n").encode())
        for _ in range(total // len(piece)):
            writer.write(piece)
            await writer.drain()
        writer.write(b"\r\n\r\n{}")
        await writer.drain()

    return behave


def zipped(content: bytes, coding: str = "gzip", *, rounds: int = 1) -> Behave:
    for _ in range(rounds):
        content = gzip.compress(content) if coding == "gzip" else zlib.compress(content)
    codings = ", ".join([coding] * rounds)
    return says(f"{OK}\nContent-Encoding: {codings}\nContent-Length: {len(content)}", content)


BOMB = b"\0" * 100_000_000
HOSTILE: dict[str, tuple[Callable[[], Behave], set[str]]] = {
    "gzip bomb": (lambda: zipped(BOMB), {"answer_too_large"}),
    "deflate bomb": (lambda: zipped(BOMB, "deflate"), {"answer_too_large"}),
    "bomb in a bomb": (lambda: zipped(BOMB, rounds=2), {"bad_answer"}),
    "endless body": (lambda: endless(OK, b"x" * 65_536), {"answer_too_large"}),
    "endless chunks": (
        lambda: endless(f"{OK}\nTransfer-Encoding: chunked", b"10000\r\n" + b"x" * 65_536 + b"\r\n"),
        {"answer_too_large"},
    ),
    "a byte now and then": (lambda: endless(f"{OK}\nContent-Length: 1000", b" ", every=0.3), {"timeout"}),
    "never": (lambda: silent, {"timeout"}),
    "header of 100 MB": (lambda: flood("HTTP/1.1 200 OK\nX-Long: ", b"a" * 65_536, 100 * MIB), {"connection_lost"}),
    "10,000 headers": (lambda: flood("HTTP/1.1 200 OK\nX: y", b"\r\nX-Many: y", 110_000), {"connection_lost", "none"}),
    "endless headers": (
        lambda: flood("HTTP/1.1 200 OK\nX: y", b"\r\nX-Many: y" * 1_000, 100 * MIB),
        {"connection_lost"},
    ),
    "too long a length": (lambda: says(f"{OK}\nContent-Length: 100", b"{}"), {"connection_lost"}),
    "too short a length": (lambda: says(f"{OK}\nContent-Length: 2", b"{}HTTP/1.1 200 OK\r\n\r\nsmuggled"), {"none"}),
    "two lengths": (lambda: says(f"{OK}\nContent-Length: 2\nContent-Length: 5", b"{}abc"), {"connection_lost"}),
    "a length below zero": (lambda: says(f"{OK}\nContent-Length: -1", b"{}"), {"connection_lost"}),
    "a length beyond all": (lambda: says(f"{OK}\nContent-Length: {10**17}", b"{}"), {"answer_too_large"}),
    "broken chunks": (lambda: says(f"{OK}\nTransfer-Encoding: chunked", b"zz\r\n{}\r\n"), {"connection_lost"}),
    "html as json": (lambda: says(f"{OK}\nContent-Length: 14", b"<h1>Hello</h1>"), {"none"}),
    "broken text": (lambda: says(f"{OK}\nContent-Length: 4", b'"\xff\xfe"'), {"none"}),
    "deep json": (lambda: says(f"{OK}\nContent-Length: 200000", b"[" * 100_000 + b"]" * 100_000), {"none"}),
    "huge number": (lambda: says(f"{OK}\nContent-Length: 5000", b"9" * 5_000), {"none"}),
    "no http": (lambda: says("220 mail.example.com ESMTP"), {"connection_lost"}),
    "informational for ever": (
        lambda: endless(
            "HTTP/1.1 103 Early Hints\nLink: </x>", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 100
        ),
        {"timeout", "connection_lost"},
    ),
}


@pytest.mark.req("ATK-27", "REST-07")
@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_answer_ends_in_time_as_an_answer(kind: str) -> None:
    make, codes = HOSTILE[kind]
    behave, began = make(), time.perf_counter()
    answer, failure = await met(behave, deadline=2.0, answer=256 * KIB)

    assert (failure.code if failure else "none") in codes
    assert answer.model_dump_json(by_alias=True)
    assert time.perf_counter() - began < 2.0 + 1.0 + 2.0  # the last two are a busy machine's


@pytest.mark.req("ATK-27")
@pytest.mark.parametrize("kind", ["gzip bomb", "endless body", "header of 100 MB", "endless headers"])
async def test_a_hostile_answer_takes_little_memory(kind: str) -> None:
    behave = HOSTILE[kind][0]()
    async with answering(behave, deadline=5.0, answer=256 * KIB) as source:
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            assert error_of(await source.call(Call(name="attack")))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak - before < 8 * MIB


@pytest.mark.req("ATK-68")
@pytest.mark.parametrize(
    "piece", [b'{"n": 1},', b'"' + b"x" * 1_000 + b'",', b"[],"], ids=["a million items", "long texts", "empty lists"]
)
async def test_a_flood_of_items_is_cut_off(piece: bytes) -> None:
    began = time.perf_counter()
    _, failure = await met(flood(f"{OK}\nContent-Length: {100 * MIB}\n\n[", piece * 1_000, 100 * MIB), deadline=10)

    assert failure
    assert (failure.code, failure.sent) == ("answer_too_large", "yes")
    assert time.perf_counter() - began < 5


@pytest.mark.req("ATK-26")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("auth", [ApiKey(CANARY, "X-API-Key"), ApiKey(CANARY, "key", where="query"), Bearer(CANARY)])
async def test_a_redirect_to_another_server_never_reaches_it(status: int, auth: Any) -> None:
    other = Tap()
    server = await asyncio.start_server(other.serve, "127.0.0.1", 0)
    place = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/take"
    _, failure = await met(says(f"HTTP/1.1 {status} Moved\nLocation: {place}\nContent-Length: 0"), auth=auth)
    server.close()
    await server.wait_closed()

    assert failure
    assert (failure.code, failure.status, other.heads) == ("redirected", status, [])


def reflecting(status: int, written: str) -> Behave:
    """Says the request's head back in an error."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = f'{{"error": "no", "sent": "{written}"}}'.encode()
        head = (
            f"HTTP/1.1 {status} No\r\nContent-Type: application/problem+json\r\nWWW-Authenticate: Bearer x={CANARY}\r\n"
        )
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()

    return behave


@pytest.mark.req("ATK-28", "VAULT-03")
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 422, 429, 500, 503])
@pytest.mark.parametrize("written", [CANARY, CANARY.replace("/", "\\/"), ESCAPED], ids=["plain", "slashes", "escapes"])
async def test_an_echoed_credential_is_in_no_answer_and_no_log(
    status: int, written: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer, failure = await met(reflecting(status, written), auth=Bearer(CANARY))

    assert isinstance(failure, Failure)
    assert CANARY not in f"{answer!r} {failure!r} {answer.model_dump_json()} {caplog.text}"
    assert "********" in repr(failure)


@pytest.mark.req("ATK-29")
async def test_a_cookie_goes_to_nobody_again() -> None:
    set_cookie = Tap(b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=of-alice; Path=/\r\nContent-Length: 0\r\n\r\n")
    other = Tap()
    async with (
        tapped(describe("/x", []), set_cookie) as one,
        tapped(describe("/x", []), other) as two,
        Router({"one": one, "two": two}) as router,
    ):
        for user, name in product(("alice", "bob"), ("one__attack", "two__attack")):
            answer = await router.call(Call(name=name, caller=Caller(user=user)))
            assert "of-alice" not in answer.model_dump_json()

    assert [head for head in set_cookie.heads + other.heads if "cookie" in head.lower()] == []
    assert (len(set_cookie.heads), len(other.heads)) == (2, 2)
