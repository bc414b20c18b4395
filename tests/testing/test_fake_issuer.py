"""Tokens: 401 with the way to one, refresh tokens that rotate, and what their second use costs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import pytest

from mcpbridge.secret import Secret
from mcpbridge.testing import FakeIssuer, FakeUpstream

pytestmark = pytest.mark.req("TEST-04")


@pytest.fixture
def fake(bookshop: str) -> FakeUpstream:
    return FakeUpstream.from_openapi(bookshop)


@pytest.fixture
async def client(fake: FakeUpstream) -> AsyncGenerator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=fake.transport, base_url="http://fake.test") as opened:
        yield opened


def bearer(token: Secret) -> dict[str, str]:
    return {"authorization": f"Bearer {token.reveal()}"}


async def refreshed(client: httpx2.AsyncClient, token: Secret | None) -> httpx2.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token.reveal() if token else ""}
    return await client.post("/oauth/token", data=form)


async def test_without_a_token_the_way_to_one_is_told(fake: FakeUpstream, client: httpx2.AsyncClient) -> None:
    fake.protect(FakeIssuer(scope="books"))
    answer = await client.get("/books")
    resource = (await client.get("/.well-known/oauth-protected-resource/mcp")).json()
    server = (await client.get("/.well-known/oauth-authorization-server")).json()

    challenge = 'Bearer resource_metadata="http://fake.test/.well-known/oauth-protected-resource", scope="books"'
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, challenge)
    assert resource == {"resource": "http://fake.test/mcp", "authorization_servers": ["http://fake.test"]}
    assert server["token_endpoint"] == "http://fake.test/oauth/token"
    assert fake.names == ["list_books"]


async def test_a_token_opens_until_it_expires(fake: FakeUpstream, client: httpx2.AsyncClient) -> None:
    now = [0.0]
    issuer = fake.protect(FakeIssuer(lifetime=60, clock=lambda: now[0]))
    grant = issuer.log_in()
    good = await client.get("/books", headers=bearer(grant.access))
    now[0] = 60.0
    old = await client.get("/books", headers=bearer(grant.access))

    assert (good.status_code, old.status_code) == (200, 401)
    assert 'error="invalid_token"' in old.headers["www-authenticate"]


async def test_a_refresh_token_is_good_once(fake: FakeUpstream, client: httpx2.AsyncClient) -> None:
    issuer = fake.protect()
    grant = issuer.log_in()
    issuer.expire()
    first: Any = (await refreshed(client, grant.refresh)).json()
    second: Any = (await refreshed(client, Secret(first["refresh_token"]))).json()

    assert len({first["refresh_token"], second["refresh_token"], str(grant.refresh and grant.refresh.reveal())}) == 3
    assert (await client.get("/books", headers=bearer(Secret(second["access_token"])))).status_code == 200


async def test_a_second_use_revokes_the_whole_login(fake: FakeUpstream, client: httpx2.AsyncClient) -> None:
    issuer = fake.protect()
    grant, other = issuer.log_in(), issuer.log_in()
    fresh: Any = (await refreshed(client, grant.refresh)).json()
    again = await refreshed(client, grant.refresh)
    after = await refreshed(client, Secret(fresh["refresh_token"]))

    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})
    assert after.json() == {"error": "invalid_grant"}
    assert (await client.get("/books", headers=bearer(Secret(fresh["access_token"])))).status_code == 401
    assert (await client.get("/books", headers=bearer(other.access))).status_code == 200


async def test_revoked_logins_are_over(fake: FakeUpstream, client: httpx2.AsyncClient) -> None:
    issuer = fake.protect()
    grant = issuer.log_in()
    issuer.revoke()

    assert (await client.get("/books", headers=bearer(grant.access))).status_code == 401
    assert (await refreshed(client, grant.refresh)).json() == {"error": "invalid_grant"}


async def test_client_credentials_get_no_refresh_token(fake: FakeUpstream, client: httpx2.AsyncClient) -> None:
    issuer = fake.protect()
    answer = await client.post("/oauth/token", data={"grant_type": "client_credentials", "scope": "a"})

    assert answer.json().keys() == {"access_token", "token_type", "expires_in"}
    assert answer.headers["cache-control"] == "no-store"
    assert issuer.asked == [{"grant_type": "client_credentials", "scope": "a"}]


async def test_the_issuer_can_be_told_to_refuse(fake: FakeUpstream, client: httpx2.AsyncClient) -> None:
    issuer = fake.protect()
    issuer.refused = "temporarily_unavailable"

    assert (await refreshed(client, issuer.log_in().refresh)).json() == {"error": "temporarily_unavailable"}
    assert (await client.post("/oauth/token", data={"grant_type": "password"})).status_code == 400


async def test_healed_no_token_is_asked_for(fake: FakeUpstream, client: httpx2.AsyncClient) -> None:
    fake.protect()
    fake.heal()

    assert (await client.get("/books")).status_code == 200


def test_tokens_are_in_no_repr(fake: FakeUpstream) -> None:
    grant = FakeIssuer().log_in()

    assert "access-" not in repr(grant)
