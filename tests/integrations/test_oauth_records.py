"""Auth by OAuth in records: read, checked, and turned into strategies."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from logins import host_of
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.credentials import ClientCredentials
from mcpbridge.auth.oauth.exchange import TokenExchange
from mcpbridge.auth.oauth.forward import TokenForward
from mcpbridge.errors import ConfigError
from mcpbridge.integrations.auth import Use, read_auth
from mcpbridge.integrations.errors import InvalidRecord
from mcpbridge.integrations.record import Integration, integration_schema
from mcpbridge.net.guard import Guard
from mcpbridge.store.open import open_store

ISSUER = "https://auth.example.com"
CLIENT = {"client_id": "ours", "client_secret": "sesame"}


def linear(**auth: Any) -> Integration:
    return Integration(name="linear", protocol="mcp", url="https://mcp.linear.app/mcp", auth=auth)


@pytest.mark.req("AUTH-07")
async def test_a_record_of_a_login_becomes_a_strategy_of_its_integration() -> None:
    record = linear(type="oauth2", issuer=ISSUER, scopes="read offline_access")
    async with open_store(":memory:") as store:
        host = host_of(store)
        auth = record.auth.used(Use(integration="linear", url="https://mcp.linear.app/mcp", logins=host))

        assert isinstance(auth, AuthorizationCode)
        assert (auth.integration, auth.shared) == ("linear", False)
        assert record.model_dump(mode="json")["auth"]["scopes"] == ["read", "offline_access"]


@pytest.mark.req("ATK-42")
async def test_the_guard_of_a_record_that_people_made_holds_for_its_logins() -> None:
    record = linear(type="oauth2", issuer="https://127.0.0.1:1", scopes="read")
    async with open_store(":memory:") as store:
        auth = record.auth.used(Use(integration="linear", logins=host_of(store), guard=Guard()))

        assert isinstance(auth, AuthorizationCode)
        assert auth.host.guard is not None


@pytest.mark.req("AUTH-06", "AUTH-11")
@pytest.mark.parametrize(
    ("auth", "kind"),
    [
        ({"type": "client_credentials", "issuer": ISSUER, **CLIENT}, ClientCredentials),
        (
            {"type": "client_credentials", "token_endpoint": f"{ISSUER}/token", **CLIENT, "scopes": ["a"]},
            ClientCredentials,
        ),
        ({"type": "token_exchange", "token_endpoint": f"{ISSUER}/token", **CLIENT, "audience": "x"}, TokenExchange),
        ({"type": "token_forward", "audience": "https://linear.example"}, TokenForward),
    ],
)
def test_a_record_of_another_kind_needs_no_logins(auth: dict[str, Any], kind: type[httpx2.Auth]) -> None:
    record = linear(**auth)

    assert isinstance(record.auth.strategy(), kind)
    assert isinstance(record.auth.used(Use(integration="linear")), kind)
    assert "sesame" not in f"{record!r}{record.model_dump_json()}"


@pytest.mark.req("AUTH-11")
@pytest.mark.parametrize(
    "auth",
    [
        {"type": "token_forward", "audience": "x", "issuer": ISSUER},
        {"type": "token_exchange", "token_endpoint": f"{ISSUER}/token", **CLIENT, "issuer": ISSUER},
    ],
)
def test_an_issuer_beside_forwarding_or_exchange_is_refused_with_both_fields_named(auth: dict[str, Any]) -> None:
    with pytest.raises(InvalidRecord, match=r"'auth\.issuer' is given while 'auth\.type' is 'token_"):
        linear(**auth)


@pytest.mark.req("AUTH-07", "AUTH-09")
@pytest.mark.parametrize(
    ("auth", "said"),
    [
        ({"type": "oauth2", "client_id": "ours"}, "'auth.client_id' is given without 'auth.issuer'"),
        ({"type": "oauth2", "issuer": ISSUER, "client_secret": "s"}, "'auth.client_secret' is given without"),
        ({"type": "oauth2", "token_endpoint": f"{ISSUER}/t"}, "belong together"),
        ({"type": "oauth2", "issuer": "http://auth.example.com"}, "issuer is not https"),
        ({"type": "oauth2", "issuer": ISSUER, "extra": {"state": "x"}}, "'state'"),
        ({"type": "oauth2", "issuer": ISSUER, "scopes": 'a"b'}, "no scope"),
        ({"type": "oauth2", "issuer": ISSUER, "scope": "read"}, "did you mean 'scopes'"),
        ({"type": "client_credentials", "issuer": ISSUER}, "'auth.client_id' is missing"),
        ({"type": "client_credentials", **CLIENT}, "token_endpoint=… or issuer=…"),
        ({"type": "token_forward"}, "audience"),
    ],
)
def test_what_can_not_work_is_said_when_it_is_defined(auth: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        linear(**auth)

    assert said in str(caught.value)


def test_a_login_without_a_place_to_keep_it_says_what_is_missing() -> None:
    with pytest.raises(ConfigError, match="OAuthHost"):
        read_auth({"type": "oauth2", "issuer": ISSUER}).used(Use(integration="linear"))


def test_editors_know_the_kinds() -> None:
    kinds = str(integration_schema())

    assert all(f"'const': '{kind}'" in kinds for kind in ("oauth2", "client_credentials", "token_exchange"))
