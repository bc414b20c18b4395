"""Several strategies on one request."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Callable, Generator

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge.auth.chain import Chain
from mcpbridge.auth.oauth.credentials import ClientCredentials
from mcpbridge.auth.oauth.values import OAuthClient
from mcpbridge.auth.static import ApiKey, Basic, Bearer, Headers
from mcpbridge.errors import ConfigError
from mcpbridge.net.upstream import Answer, Upstream
from mcpbridge.secret import Secret

pytestmark = pytest.mark.req("AUTH-05")

URL = "https://api.example.com/x"
Handler = Callable[[httpx2.Request], httpx2.Response]


TOKENS = ClientCredentials(OAuthClient(id="a", secret=Secret("s")), token_endpoint="https://as.example.com/token")


class Steps(httpx2.Auth):
    """Sends a request a number of times, writes which time it is, and notes the answers that it gets."""

    def __init__(self, name: str, times: int) -> None:
        self.name = name
        self.times = times
        self.seen: list[str] = []
        self.closed = 0

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        try:
            for step in range(self.times):
                request.headers[self.name] = str(step)
                response = yield request
                self.seen.append(response.headers["number"])
        finally:
            self.closed += 1


class Refreshed(httpx2.Auth):
    """A token that is asked for again when it is refused, as OAuth does it: with steps of its own and a body read."""

    requires_response_body = True

    def __init__(self) -> None:
        self.token = "old"

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        request.headers["X-Token"] = self.token
        response = yield request
        if response.status_code == 403:
            self.token = "new" if await response.aread() == b"stale" else "wrong"
            request.headers["X-Token"] = self.token
            yield request


def numbering(sent: list[httpx2.Headers]) -> Handler:
    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(httpx2.Headers(request.headers))
        return httpx2.Response(200, headers={"number": str(len(sent))})

    return answer


def _expected(times: list[int]) -> list[tuple[str, ...]]:
    """Every step of a later part for each step of an earlier one."""
    return [*itertools.product(*[[str(step) for step in range(count)] for count in times])]


TIMES = st.lists(st.integers(1, 3), min_size=1, max_size=4)


@given(TIMES)
def test_every_step_of_every_part_is_sent_by_a_client(times: list[int]) -> None:
    parts, sent = [Steps(f"x-{at}", count) for at, count in enumerate(times)], list[httpx2.Headers]()

    with httpx2.Client(
        transport=httpx2.MockTransport(numbering(sent)), auth=Chain(*parts), max_redirects=100
    ) as client:
        client.get(URL)

    assert [tuple(headers[part.name] for part in parts) for headers in sent] == _expected(times)


@given(TIMES)
async def test_every_step_of_every_part_is_sent_by_an_upstream(times: list[int]) -> None:
    parts, sent = [Steps(f"x-{at}", count) for at, count in enumerate(times)], list[httpx2.Headers]()
    upstream = Upstream(transport=httpx2.MockTransport(numbering(sent)), auth=Chain(*parts))

    await upstream.send(httpx2.Request("GET", URL))

    assert [tuple(headers[part.name] for part in parts) for headers in sent] == _expected(times)


@given(TIMES)
def test_every_part_gets_the_answer_that_the_later_ones_left(times: list[int]) -> None:
    parts, sent = [Steps(f"x-{at}", count) for at, count in enumerate(times)], list[httpx2.Headers]()

    with httpx2.Client(
        transport=httpx2.MockTransport(numbering(sent)), auth=Chain(*parts), max_redirects=100
    ) as client:
        client.get(URL)

    beneath = [len(_expected(times[at + 1 :])) for at in range(len(times))]
    for part, each in zip(parts, beneath, strict=True):
        assert part.seen == [str(number) for number in range(each, len(sent) + 1, each)]


def _digest_and_token(request: httpx2.Request) -> httpx2.Response:
    """Wants a fresh token, and then the digest of RFC 7616."""
    if request.headers["x-token"] != "new":
        return httpx2.Response(403, content=b"stale")
    if not request.headers.get("authorization", "").startswith("Digest "):
        challenge = 'Digest realm="r", qop="auth", nonce="n", algorithm=SHA-256'
        return httpx2.Response(401, headers={"WWW-Authenticate": challenge})
    return httpx2.Response(200, content=b"in")


@pytest.mark.parametrize("turned", [False, True])
async def test_a_refresh_and_a_digest_both_reach_their_second_step(*, turned: bool) -> None:
    parts: list[httpx2.Auth] = [Refreshed(), httpx2.DigestAuth("user", "password")]
    chain = Chain(*(reversed(parts) if turned else parts))
    upstream = Upstream(transport=httpx2.MockTransport(_digest_and_token), auth=chain)

    answer = await upstream.send(httpx2.Request("GET", URL))

    assert isinstance(answer, Answer)
    assert (answer.status, answer.content) == (200, b"in")


async def test_a_call_that_breaks_off_closes_every_part() -> None:
    def lost(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadError("lost")

    parts = [Steps("a", 2), Steps("b", 2)]
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(lost), auth=Chain(*parts)) as client:
        with pytest.raises(httpx2.ReadError):
            await client.get(URL)

    assert [part.closed for part in parts] == [1, 1]


def test_a_chain_of_chains_is_a_chain() -> None:
    sent: list[httpx2.Headers] = []
    parts = Steps("a", 2), Steps("b", 2), Steps("c", 2)

    with httpx2.Client(transport=httpx2.MockTransport(numbering(sent))) as client:
        client.get(URL, auth=Chain(parts[0], Chain(*parts[1:])))

    assert [tuple(headers[name] for name in "abc") for headers in sent] == _expected([2, 2, 2])


@pytest.mark.parametrize(
    ("auths", "named"),
    [
        ([Bearer("t"), Basic("u", "p")], r"Bearer and Basic all write the header 'authorization'"),
        ([Bearer("t"), TOKENS], r"Bearer and ClientCredentials all write the header 'authorization'"),
        ([ApiKey("a", "X-Key"), Headers({"x-key": "b"})], r"ApiKey and Headers all write the header 'x-key'"),
        ([ApiKey("a", "k", where="query"), Chain(ApiKey("b", "k", where="query"))], r"ApiKey and Chain .* query 'k'"),
    ],
)
def test_two_parts_that_write_the_same_place_are_refused(auths: list[httpx2.Auth], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        Chain(*auths)


def test_what_is_no_strategy_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs strategies"):
        Chain()
    with pytest.raises(ConfigError, match="not str"):
        Chain("token")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # a mistake


def test_parts_of_different_names_go_together_and_no_repr_shows_them() -> None:
    chain = Chain(ApiKey("sesame", "a", where="cookie"), ApiKey("sesame", "b", where="cookie"), Bearer("sesame"))
    sent: list[httpx2.Headers] = []

    with httpx2.Client(transport=httpx2.MockTransport(numbering(sent)), auth=chain) as client:
        client.get(URL)

    assert (sent[0]["cookie"], sent[0]["authorization"]) == ("a=sesame; b=sesame", "Bearer sesame")
    assert "sesame" not in repr(chain)
