"""Tokens that only their issuer can read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from issuing import AUDIENCE, NOW

from mcpbridge.auth.oauth.values import OAuthClient
from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret
from mcpbridge.server.verify_introspection import IntrospectionVerifier
from mcpbridge.server.verify_token import TokensUnavailable
from mcpbridge.tools import Caller

URL = "https://login.example/introspect"
GOOD: Mapping[str, Any] = {"active": True, "aud": AUDIENCE, "exp": NOW + 300, "sub": "ann", "scope": "a b"}


class Desk:
    """An introspection endpoint that says `said` of every token; `now` is its clock."""

    def __init__(self, said: Any = GOOD, status: int = 200) -> None:
        self.said = said
        self.status = status
        self.now: float = NOW
        self.asked: list[httpx2.Request] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        return httpx2.Response(self.status, json=self.said)

    def verifier(self, **settings: Any) -> IntrospectionVerifier:
        client = OAuthClient(id="gateway", secret=Secret("s3cret"))
        transport = httpx2.MockTransport(self.answer)
        settings = {"audience": AUDIENCE, "tenant": "acme", **settings}
        return IntrospectionVerifier(URL, client, transport=transport, clock=lambda: self.now, **settings)


@pytest.mark.req("GW-05")
async def test_an_active_token_gives_its_caller_and_the_gateway_shows_itself() -> None:
    desk = Desk()
    token = await desk.verifier().verify_token("opaque")
    assert token is not None
    assert (token.caller, token.scopes) == (Caller(tenant="acme", user="ann"), ["a", "b"])
    assert parse_qs(desk.asked[0].content.decode())["token"] == ["opaque"]
    assert desk.asked[0].headers["authorization"].startswith("Basic ")


@pytest.mark.req("GW-05", "ATK-49")
@pytest.mark.parametrize(
    "changed",
    [
        {"active": False},
        {"active": "true"},
        {"active": None},
        {"aud": "https://other.example"},
        {"aud": None},
        {"exp": NOW - 61},
        {"exp": None},
        {"nbf": NOW + 61},
        {"sub": None},
    ],
)
async def test_what_is_not_active_or_not_for_us_is_refused(changed: Mapping[str, Any]) -> None:
    assert await Desk({**GOOD, **changed}).verifier().verify_token("opaque") is None


@pytest.mark.parametrize("token", ["", "x" * 20_000])
async def test_what_can_be_no_token_is_not_asked_about(token: str) -> None:
    desk = Desk()
    assert (await desk.verifier().verify_token(token), desk.asked) == (None, [])


async def test_an_answer_is_kept_for_a_while_for_this_very_token() -> None:
    desk = Desk()
    verifier = desk.verifier()
    for token in ("one", "one", "two"):
        await verifier.verify_token(token)
    assert len(desk.asked) == 2
    desk.now += 31
    desk.said = {"active": False}
    assert await verifier.verify_token("one") is None


async def test_an_answer_is_kept_no_longer_than_the_token_is_good() -> None:
    desk = Desk({**GOOD, "exp": NOW + 5})
    verifier = desk.verifier()
    await verifier.verify_token("one")
    desk.now += 6
    await verifier.verify_token("one")
    assert len(desk.asked) == 2


@pytest.mark.parametrize(("said", "status"), [(GOOD, 503), (GOOD, 401), ([], 200), ("active", 200)])
async def test_a_server_that_cant_say_refuses_nobody(said: Any, status: int) -> None:
    with pytest.raises(TokensUnavailable, match=str(status)) as caught:
        await Desk(said, status).verifier().verify_token("opaque")
    assert "opaque" not in str(caught.value)


@pytest.mark.parametrize("settings", [{"audience": ""}, {"audience": []}])
def test_an_audience_is_needed(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="audience"):
        Desk().verifier(**settings)


def test_an_endpoint_is_https() -> None:
    with pytest.raises(ConfigError, match="https"):
        IntrospectionVerifier("http://login.example/introspect", OAuthClient(id="gateway"), audience=AUDIENCE)
