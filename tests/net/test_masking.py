"""An upstream that says our credential back in an error tells it to nobody."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from html import escape
from urllib.parse import quote, quote_plus

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge.auth.static import ApiKey, Basic, Bearer, Headers
from mcpbridge.net.masking import masked
from mcpbridge.net.unescaping import holds
from mcpbridge.net.upstream import Answer, Upstream
from mcpbridge.secret import MASK, Secret

CANARY = 'se"same/can+ary <1234>'
COOKIE = "sesame-canary/1234"


async def echo(
    auth: httpx2.Auth | None,
    write: Callable[[httpx2.Request], str],
    status: int = 400,
    headers: Mapping[str, str | Secret] | None = None,
) -> str:
    """What an error holds, headers and body, of a server that says something of the request."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        said = write(request)
        return httpx2.Response(status, headers={"Location": f"/login?next={quote(said)}"}, text=said)

    upstream = Upstream(transport=httpx2.MockTransport(answer), auth=auth, headers=headers)
    got = await upstream.send(httpx2.Request("GET", "https://api.example.com/x?own=sesame-of-the-caller"))
    assert isinstance(got, Answer)
    return f"{got.headers} {got.content.decode()}"


def everything(request: httpx2.Request) -> str:
    """As an error page of a proxy shows a request."""
    query = request.url.query.decode()
    return f"{query} {' '.join(': '.join(pair) for pair in request.headers.multi_items())}"


@pytest.mark.req("ATK-28", "VAULT-03")
@pytest.mark.parametrize(
    ("auth", "secret"),
    [
        (Bearer(CANARY), CANARY),
        (Bearer(CANARY, prefix=""), CANARY),
        (ApiKey(CANARY, "X-Key"), CANARY),
        (ApiKey(CANARY, "key", "query"), quote(CANARY, safe="")),
        (ApiKey(COOKIE, "key", "cookie"), COOKIE),
        (Basic("user", CANARY), base64.b64encode(f"user:{CANARY}".encode()).decode()),
        (Headers({"X-One": CANARY, "X-Two": "other-canary"}), "other-canary"),
    ],
    ids=["bearer", "bare", "header", "query", "cookie", "basic", "headers"],
)
async def test_a_credential_that_an_error_says_back_is_masked(auth: httpx2.Auth, secret: str) -> None:
    told = await echo(auth, everything)

    assert not any(form in told for form in (secret, quote(secret), quote(secret, safe="")))
    assert MASK in told
    assert "sesame-of-the-caller" in told


WRITTEN = {
    "plain": CANARY,
    "json": json.dumps(CANARY)[1:-1],
    "escaped slash": json.dumps(CANARY)[1:-1].replace("/", "\\/"),
    "url": quote(CANARY, safe=""),
    "path": quote(CANARY),
    "form": quote_plus(CANARY),
    "html": escape(CANARY),
    "base64": base64.b64encode(CANARY.encode()).decode(),
}


@pytest.mark.req("ATK-28")
@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("auth", [Bearer(CANARY), Basic("user", CANARY)], ids=["bearer", "basic"])
async def test_it_is_masked_however_it_is_written(auth: httpx2.Auth, written: str) -> None:
    told = await echo(auth, lambda _: f"wrong key {written}!")

    assert written not in told
    assert MASK in told


async def test_a_secret_header_of_the_integration_is_masked_and_a_plain_one_is_not() -> None:
    told = await echo(None, everything, headers={"X-Secret": Secret("sesame-canary"), "X-Tenant": "acme-corporation"})

    assert "sesame-canary" not in told
    assert "acme-corporation" in told


async def test_every_step_of_a_strategy_is_masked() -> None:
    class Twice(httpx2.Auth):
        async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
            for token in ("first-canary", "second-canary"):
                request.headers["X-Token"] = token
                yield request

    told = await echo(Twice(), lambda _: "not first-canary, not second-canary")

    assert "canary" not in told


async def test_what_succeeds_and_what_is_no_secret_is_kept() -> None:
    stamps = Headers({"X-Time": "1700000000", "X-Date": "2026-01-31T12:00:00Z", "X-Short": "abc"})
    said = "at 1700000000 or 2026-01-31T12:00:00Z, abc"

    assert said in await echo(stamps, lambda _: said)
    assert COOKIE in await echo(Bearer(COOKIE), everything, status=200)


def escaped(number: int) -> str:
    """The credential with some characters written as escapes of JSON, URLs or HTML."""
    ways = (r"\u{:04x}", r"\u{:04X}", "%{:02x}", "%{:02X}", "&#{:d};", "&#x{:x};", r"\\u{:04x}", "%25{:02x}")
    way = ways[number % len(ways)]
    return "".join(way.format(ord(c)) if index % 3 == number % 3 or c == '"' else c for index, c in enumerate(CANARY))


@pytest.mark.req("ATK-28")
@pytest.mark.parametrize("number", range(24))
async def test_escapes_do_not_hide_it(number: int) -> None:
    body = f'{{"error": "wrong", "list": [{{"sent {escaped(number)}": 1}}, "{escaped(number + 8)}"]}}'
    told = await echo(Bearer(CANARY), lambda _: body)

    assert not holds(told.encode(), [CANARY])
    assert MASK in told
    assert '"error": "wrong"' in told


@pytest.mark.req("ATK-28")
@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_charset_does_not_hide_it(code: str) -> None:
    assert masked(f"wrong key {CANARY}".encode(code), [CANARY]) == MASK.encode()


@pytest.mark.req("ATK-28")
@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_does_not_hide_it(before: str, encode: Callable[[bytes], bytes]) -> None:
    told = masked(b"sent " + encode(f"{before}{CANARY}>?>".encode()), [CANARY])

    assert MASK.encode() in told
    assert encode(CANARY.encode())[4:-8] not in told


@pytest.mark.req("ATK-28")
@pytest.mark.parametrize("text", ['"' + r"\u0073esame-canary", "[" * 100_000 + r"\u0073esame-canary"])
def test_what_is_no_json_and_hides_it_is_given_up_whole(text: str) -> None:
    assert masked(text.encode(), ["sesame-canary"]) == MASK.encode()


@given(st.text(), st.text(min_size=4).map("key-".__add__))
def test_masking_leaves_nothing_behind(text: str, credential: str) -> None:
    told = masked(f"{text}{credential}{text}".encode("utf-8", "surrogatepass"), [credential])

    assert credential.encode("utf-8", "surrogatepass") not in told


def test_a_credential_made_of_escapes_does_not_mask_what_they_stand_for() -> None:
    assert masked(rb'{"a": "AAA\u0041"}', ["%41%41%41"]) == rb'{"a": "AAA\u0041"}'


def test_a_large_error_is_masked_in_a_moment() -> None:
    content = b'{"a": "' + rb"\u0061%61&#61;" * 80_000 + b'"}'
    began = time.perf_counter()
    masked(content, [CANARY])

    assert time.perf_counter() - began < 5
