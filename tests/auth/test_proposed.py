"""Strategies made of what a description proposes."""

from __future__ import annotations

import httpx2
import pytest

from mcpbridge.auth.proposed import auth_from
from mcpbridge.errors import ConfigError
from mcpbridge.openapi.security import Proposal, Scheme

pytestmark = pytest.mark.req("OAS-17")

KEY = Scheme(name="key", kind="api_key", key="X-Key")
BASIC = Scheme(name="login", kind="basic")


def signed(auth: httpx2.Auth) -> httpx2.Headers:
    return next(auth.auth_flow(httpx2.Request("GET", "https://api.example.com/"))).headers


@pytest.mark.parametrize(
    ("scheme", "secrets", "header", "value"),
    [
        (Scheme(name="a", kind="bearer", prefix="Bearer"), ["t"], "authorization", "Bearer t"),
        (Scheme(name="a", kind="http", prefix="Token"), ["t"], "authorization", "Token t"),
        (Scheme(name="a", kind="oauth2", prefix="Bearer"), ["t"], "authorization", "Bearer t"),
        (KEY, ["k"], "x-key", "k"),
        (Scheme(name="a", kind="api_key", where="cookie", key="sid"), ["k"], "cookie", "sid=k"),
        (BASIC, ["u", "p"], "authorization", "Basic dTpw"),
    ],
)
def test_each_scheme_becomes_its_strategy(scheme: Scheme, secrets: list[str], header: str, value: str) -> None:
    assert signed(auth_from(Proposal(schemes=[scheme]), *secrets))[header] == value


def test_schemes_that_are_needed_together_all_sign() -> None:
    headers = signed(auth_from(Proposal(schemes=[KEY, BASIC]), "k", "u", "p"))
    assert (headers["x-key"], headers["authorization"]) == ("k", "Basic dTpw")


@pytest.mark.parametrize("secrets", [[], ["a", "b"]])
def test_the_wrong_number_of_secrets_is_refused_with_their_names(secrets: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"needs 1 secrets, got .: key \(api_key\)"):
        auth_from(Proposal(schemes=[KEY]), *secrets)


@pytest.mark.parametrize("kind", ["mtls", "unknown"])
def test_a_scheme_that_no_header_carries_says_what_to_do(kind: str) -> None:
    scheme = Scheme(name="odd", kind="mtls" if kind == "mtls" else "unknown")
    with pytest.raises(ConfigError, match="odd"):
        auth_from(Proposal(schemes=[scheme]), "x")
