"""Logins and tokens at a certified authorization server (oidc-provider), and the whole load on one login."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator

import httpx2
import pytest
from court import JUDGES
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey
from sqlalchemy import update

from authority import running_authority
from logins import ANN, BOB, CALLBACK, Heard, call, cookies, host_of
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.credentials import ClientCredentials
from mcpbridge.auth.oauth.errors import ReconnectRequired
from mcpbridge.auth.oauth.exchange import TokenExchange
from mcpbridge.auth.oauth.login import Begun
from mcpbridge.auth.oauth.values import OAuthClient
from mcpbridge.errors import AuthRequired
from mcpbridge.secret import Secret
from mcpbridge.store.clock import now
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import tokens
from mcpbridge.store.store import Store
from mcpbridge.tools import Caller
from oauth_processes import refreshed_by

BASIC = OAuthClient(id="basic", secret=Secret("a b+c:d%/" + "x" * 32))
KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


@pytest.fixture(scope="module")
def issuer(node: str) -> Iterator[str]:
    """The URL of a running oidc-provider."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    jwks = json.dumps({"keys": [RSAKey.import_key(KEY.public_key()).as_dict()]})
    command = [node, str(JUDGES / "issuer.mjs"), str(port), CALLBACK, f"{url}/api"]
    with subprocess.Popen(command, env={**os.environ, "JWKS": jwks}, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        yield url
        server.terminate()


async def agreed(begun: Begun, person: str) -> str:
    """The callback's query, after a browser has followed the server through its login."""
    async with httpx2.AsyncClient(headers={"X-Person": person}) as browser:
        place = begun.url
        for _ in range(10):
            answer = await browser.get(place)
            assert answer.status_code in (302, 303), answer.text
            place = str(httpx2.URL(place).join(answer.headers["location"]))
            if place.startswith(CALLBACK):
                return place.partition("?")[2]
    pytest.fail("the server did not send the browser back")


async def log_in(auth: AuthorizationCode, caller: Caller = ANN) -> None:
    begun = await auth.begin(caller)
    await auth.complete(await agreed(begun, caller.user or ""), cookies(begun))


def at(store: Store, issuer: str, heard: Heard | None = None) -> AuthorizationCode:
    return AuthorizationCode(host_of(store, heard), "notes", resource=f"{issuer}/api")


async def user(auth: httpx2.Auth, issuer: str, caller: Caller = ANN) -> str:
    answer = await call(auth, f"{issuer}/api", caller)
    assert answer.status_code == 200
    return str(answer.json()["user"])


@pytest.mark.req("AUTH-07", "AUTH-09", "AUTH-10", "AUTH-12")
async def test_users_register_log_in_refresh_and_log_out_at_a_certified_server(issuer: str) -> None:
    heard = Heard()
    async with open_store(":memory:") as store:
        for caller in (ANN, BOB):
            await log_in(at(store, issuer, heard), caller)
        for _ in range(3):
            async with store.write() as connection:
                await connection.execute(update(tokens).values(expires=now() - 1.0))
            replica = at(store, issuer, heard)
            assert [await user(replica, issuer, caller) for caller in (ANN, BOB)] == ["ann", "bob"]
        auth = at(store, issuer, heard)
        held = await auth.token(ANN)

        assert await auth.disconnect(ANN)
        with pytest.raises(AuthRequired):
            await user(auth, issuer)

    assert heard.kinds().count("refreshed") == 6
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {held.grant.access.reveal()}"}) as client:
        assert (await client.get(f"{issuer}/api")).status_code == 401


@pytest.mark.req("FLT-16", "AUTH-10")
async def test_a_refresh_token_that_comes_twice_ends_the_login_at_a_certified_server(issuer: str) -> None:
    async with open_store(":memory:") as store:
        auth = at(store, issuer)
        await log_in(auth)
        async with store.read() as connection:
            old = (await connection.execute(tokens.select())).mappings().one()
        await auth.another(ANN, await auth.token(ANN))
        async with store.write() as connection:  # an older backup of the database
            await connection.execute(update(tokens).values(**{**old, "expires": now() - 1.0}))

        with pytest.raises(ReconnectRequired):
            await user(at(store, issuer), issuer)


@pytest.mark.req("AUTH-06")
@pytest.mark.parametrize(
    "client",
    [
        BASIC,
        OAuthClient(id="post", secret=Secret("s" * 43), method="client_secret_post"),
        OAuthClient(id="signed", secret=Secret("s" * 43), method="client_secret_jwt"),
        OAuthClient(id="key", key=PEM),
    ],
    ids=lambda client: client.id,
)
async def test_a_certified_server_takes_each_way_of_client_authentication(issuer: str, client: OAuthClient) -> None:
    auth = ClientCredentials(client, issuer=issuer, scopes="read", resource=f"{issuer}/api")

    assert await user(auth, issuer) == client.id


@pytest.mark.req("AUTH-11")
async def test_a_callers_token_is_exchanged_at_a_certified_server(issuer: str) -> None:
    async with open_store(":memory:") as store:
        login = AuthorizationCode(
            host_of(store), "gateway", issuer=issuer, client=BASIC, scopes="read", resource=f"{issuer}/api"
        )
        await log_in(login)
        caller = Caller(tenant="acme", user="ann", token=(await login.token(ANN)).grant.access)

    auth = TokenExchange(BASIC, token_endpoint=f"{issuer}/token", scopes="read")

    assert await user(auth, issuer, caller) == "ann"


@pytest.mark.req("FLT-13", "AUTH-10", "ATK-47")
async def test_five_hundred_calls_of_four_processes_refresh_once(database_url: str) -> None:
    with running_authority() as authority:
        assert await refreshed_by(database_url, authority, processes=4, calls=125) == ["200"] * 500
        assert authority.grants("refresh_token") == 1
        assert not authority.reused()
