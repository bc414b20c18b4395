"""Client credentials, token exchange and forwarding, at a real authorization server."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from dataclasses import replace
from itertools import count
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from authority import EXCHANGE, Authority, Family, Issued, Registered
from logins import ANN, call
from mcpbridge.auth.oauth.clients import shown
from mcpbridge.auth.oauth.credentials import ClientCredentials
from mcpbridge.auth.oauth.exchange import TokenExchange
from mcpbridge.auth.oauth.forward import TokenForward
from mcpbridge.auth.oauth.issued import PAUSE
from mcpbridge.auth.oauth.keys import CALLER_KEY
from mcpbridge.auth.oauth.values import AuthorizationServer, Method, OAuthClient
from mcpbridge.errors import AuthRequired, ConfigError, UpstreamError
from mcpbridge.secret import Secret
from mcpbridge.tools import Caller

SECRET = "s 3cret+/%:&=é" + "x" * 32
CLIENT = OAuthClient(id="a b:c", secret=Secret(SECRET))


def pem(size: int = 2048) -> tuple[str, str]:
    """A private key, and the public one beside it."""
    key = rsa.generate_private_key(65537, size)
    none = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, none)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def credentials(authority: Authority, client: OAuthClient = CLIENT, **options: Any) -> ClientCredentials:
    return ClientCredentials(client, issuer=authority.url, **options)


@pytest.mark.req("AUTH-06")
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
async def test_a_client_with_a_secret_authenticates_in_each_way(authority: Authority, method: Method) -> None:
    authority.clients[CLIENT.id] = Registered(CLIENT.id, SECRET, method=method)

    answer = await call(credentials(authority, replace(CLIENT, method=method)), f"{authority.url}/api")

    assert answer.json()["user"] == CLIENT.id


@pytest.mark.req("AUTH-06")
@pytest.mark.parametrize("written", ["pem", "one line", "escaped"])
async def test_a_client_with_a_key_signs_an_assertion(authority: Authority, written: str) -> None:
    private, public = pem()
    authority.clients["ours"] = Registered("ours", method="private_key_jwt", public_key=public)
    lines = private.splitlines()
    keys: dict[str, str | Secret] = {
        "pem": private,
        "one line": Secret(" ".join(lines)),
        "escaped": Secret("\\n".join(lines)),
    }

    answer = await call(credentials(authority, OAuthClient(id="ours", key=keys[written])), f"{authority.url}/api")

    assert answer.json()["user"] == "ours"


@pytest.mark.req("AUTH-06")
@pytest.mark.parametrize(
    ("curve", "algorithm"), [(ec.SECP256R1(), "ES256"), (ec.SECP384R1(), "ES384"), (None, "Ed25519")]
)
def test_a_key_of_a_curve_signs_by_its_own_algorithm(curve: ec.EllipticCurve | None, algorithm: str) -> None:
    key = ed25519.Ed25519PrivateKey.generate() if curve is None else ec.generate_private_key(curve)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server = AuthorizationServer(token_endpoint="https://auth.example/token")

    form = shown(OAuthClient(id="x", key=private.decode()), server, now=0.0, id="1").form

    assert json.loads(_decoded(form["client_assertion"].split(".")[0]))["alg"] == algorithm


@pytest.mark.req("AUTH-06")
async def test_scopes_audience_and_resource_are_asked_for(authority: Authority) -> None:
    authority.clients[CLIENT.id] = Registered(CLIENT.id, SECRET)
    auth = credentials(authority, scopes=["read", "write"], audience="notes", resource="https://notes.example/api")

    assert (await call(auth, f"{authority.url}/api")).json()["scope"] == "read write"

    [asked] = authority.asked
    assert (asked["scope"], asked["audience"], asked["resource"]) == (
        "read write",
        "notes",
        "https://notes.example/api",
    )


@pytest.mark.req("AUTH-06", "AUTH-10")
async def test_one_token_serves_all_calls_until_it_is_refused(authority: Authority) -> None:
    authority.clients[CLIENT.id] = Registered(CLIENT.id, SECRET)
    auth = credentials(authority)
    await asyncio.gather(*(call(auth, f"{authority.url}/api") for _ in range(20)))
    assert len(authority.asked) == 1
    authority.expire()

    answers = await asyncio.gather(*(call(auth, f"{authority.url}/api") for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert len(authority.asked) == 2


@pytest.mark.req("AUTH-06", "FLT-15")
async def test_an_upstream_that_refuses_every_token_is_asked_twice_and_its_answer_given(authority: Authority) -> None:
    authority.clients[CLIENT.id] = Registered(CLIENT.id, SECRET)
    authority.refuses = True

    assert (await call(credentials(authority), f"{authority.url}/api")).status_code == 401
    assert len(authority.asked) == 2


@pytest.mark.req("AUTH-06")
async def test_a_wrong_secret_says_which_setting_to_look_at(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    authority.clients[CLIENT.id] = Registered(CLIENT.id, "another")

    with pytest.raises(UpstreamError) as caught:
        await call(credentials(authority), f"{authority.url}/api")

    assert "'invalid_client' (401)" in str(caught.value)
    assert "client_secret" in caught.value.failure.hint
    assert "3cret" not in f"{caught.value}{caught.value.failure}{caplog.text}"


@pytest.mark.req("AUTH-06", "FLT-14")
async def test_a_server_that_is_down_is_asked_once_by_many_calls(authority: Authority) -> None:
    authority.clients[CLIENT.id] = Registered(CLIENT.id, SECRET)
    authority.down = True
    auth = credentials(authority)
    begin = time.monotonic()

    for _ in range(3):
        ends = await asyncio.gather(*(call(auth, f"{authority.url}/api") for _ in range(10)), return_exceptions=True)
        assert all(isinstance(end, UpstreamError) and end.failure.retryable for end in ends)

    assert len(authority.asked) <= 1 + (time.monotonic() - begin) // PAUSE


@pytest.mark.req("AUTH-06")
def test_an_assertion_says_who_signs_for_whom_and_until_when() -> None:
    server = AuthorizationServer(token_endpoint="https://auth.example/token", issuer="https://auth.example")
    client = replace(CLIENT, method="client_secret_jwt", key_id="k1")

    form = shown(client, server, now=1000.0, id="once").form

    header, claims = (json.loads(_decoded(part)) for part in form["client_assertion"].split(".")[:2])
    assert header == {"alg": "HS256", "kid": "k1", "typ": "JWT"}
    who = {"iss": CLIENT.id, "sub": CLIENT.id, "aud": "https://auth.example"}
    assert claims == {**who, "iat": 1000, "exp": 1120, "jti": "once"}


@pytest.mark.req("AUTH-06")
@pytest.mark.parametrize(
    ("client", "said"),
    [
        (OAuthClient(id="x", secret=Secret("short"), method="client_secret_jwt"), "32 bytes"),
        (OAuthClient(id="x", key="no key"), "PEM"),
        (OAuthClient(id="x", key=pem(1024)[0]), "2048 bits"),
    ],
)
async def test_a_key_that_is_weak_or_none_is_an_error_that_names_it(
    authority: Authority, client: OAuthClient, said: str
) -> None:
    with pytest.raises(UpstreamError, match=said):
        await call(credentials(authority, client), f"{authority.url}/api")


@pytest.mark.parametrize(
    "make",
    [
        lambda: ClientCredentials(CLIENT),
        lambda: ClientCredentials(CLIENT, issuer="https://a.example", token_endpoint="https://a.example/t"),
        lambda: ClientCredentials(OAuthClient(id="x"), issuer="https://a.example"),
        lambda: ClientCredentials(CLIENT, issuer="https://a.example", scopes='a\nb"c'),
        lambda: ClientCredentials(CLIENT, issuer="https://a.example", extra={"grant_type": "x"}),
        lambda: OAuthClient(id="x", method="client_secret_basic"),
        lambda: OAuthClient(id="x", method="private_key_jwt"),
        lambda: OAuthClient(id=""),
        TokenForward,
        lambda: TokenExchange(CLIENT, token_endpoint="http://a.example/token"),
    ],
)
def test_what_can_not_work_is_refused_when_it_is_made(make: Any) -> None:
    with pytest.raises(ConfigError):
        make()


def test_a_token_strategy_in_a_synchronous_client_says_so() -> None:
    with httpx2.Client() as client, pytest.raises(ConfigError, match="AsyncClient"):
        client.get("https://a.example", auth=ClientCredentials(CLIENT, issuer="https://a.example"))


def caller_with(authority: Authority, user: str) -> Caller:
    """A caller who shows the gateway a token of the authority."""
    token = f"gateway-{user}"
    issued = Issued(token, None, "gateway", "", Family(user), expires=float("inf"))
    if authority.by_access(token) is None:
        authority.tokens.append(issued)
    return Caller(tenant="acme", user=user, token=Secret(token))


def exchange(authority: Authority) -> TokenExchange:
    authority.clients[CLIENT.id] = Registered(CLIENT.id, SECRET)
    return TokenExchange(CLIENT, token_endpoint=f"{authority.url}/token", scopes="read", audience="notes")


@pytest.mark.req("AUTH-11")
async def test_each_callers_token_is_exchanged_once_for_one_of_its_own(authority: Authority) -> None:
    auth = exchange(authority)
    ann, bob = (caller_with(authority, user) for user in ("ann", "bob"))

    users = [(await call(auth, f"{authority.url}/api", who)).json()["user"] for who in (ann, bob, ann, bob)]

    assert users == ["ann", "bob", "ann", "bob"]
    assert authority.grants(EXCHANGE) == 2
    assert authority.asked[0]["audience"] == "notes"


@pytest.mark.req("AUTH-11")
async def test_a_caller_whose_token_is_not_taken_has_to_log_in(authority: Authority) -> None:
    auth = exchange(authority)
    unknown = Caller(tenant="acme", user="eve", token=Secret("made-up"))

    for caller in (unknown, ANN):
        with pytest.raises(AuthRequired):
            await call(auth, f"{authority.url}/api", caller)


@pytest.mark.req("ATK-50", "AUTH-11")
@given(order=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["t1", "t2"]), st.booleans()), max_size=12))
@settings(max_examples=60, deadline=None)
def test_in_no_interleaving_does_a_caller_get_anothers_token(order: list[tuple[str, str, bool]]) -> None:
    asyncio.run(interleaved(order))


async def interleaved(order: list[tuple[str, str, bool]]) -> None:
    """Calls of several users and tokens, at once or one after another, at a server that answers in any order."""
    numbers = count(1)

    async def answer(request: httpx2.Request) -> httpx2.Response:
        subject = httpx2.QueryParams(request.content).get("subject_token", "")
        for _ in range(next(numbers) % 4):
            await asyncio.sleep(0)
        return httpx2.Response(200, json={"access_token": f"for-{subject}", "token_type": "Bearer", "expires_in": 60})

    transport = httpx2.MockTransport(answer)
    auth = TokenExchange(CLIENT, token_endpoint="https://auth.example/token", transport=transport)

    async def sent(user: str, token: str) -> None:
        caller = Caller(tenant="acme", user=user, token=Secret(f"{user}-{token}"))
        request = httpx2.Request("GET", "https://notes.example", extensions={CALLER_KEY: caller})
        flow = auth.async_auth_flow(request)
        signed = await anext(flow)
        assert signed.headers["authorization"] == f"Bearer for-{user}-{token}"
        await flow.aclose()

    running: list[asyncio.Task[None]] = []
    for user, token, wait in order:
        running.append(asyncio.ensure_future(sent(user, token)))
        if wait:
            await asyncio.gather(*running)
    await asyncio.gather(*running)


def jwt(**claims: Any) -> Secret:
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in ({}, claims)]
    return Secret(".".join([*parts, "signature"]))


def forwarded(auth: TokenForward, token: Secret | None) -> str:
    """The header that the upstream gets for a caller who brought this token in its request to the gateway."""
    caller = Caller(tenant="acme", user="ann", token=token)
    request = httpx2.Request("GET", "https://notes.example", extensions={CALLER_KEY: caller})
    return str(next(auth.sync_auth_flow(request)).headers["authorization"])


@pytest.mark.req("AUTH-11", "ATK-48")
@pytest.mark.parametrize("aud", ["https://notes.example", ["https://gateway.example", "https://notes.example"]])
def test_a_token_that_is_meant_for_the_upstream_is_sent_on(aud: object) -> None:
    token = jwt(aud=aud)

    assert forwarded(TokenForward(audience="https://notes.example"), token) == f"Bearer {token.reveal()}"


@pytest.mark.req("AUTH-11", "ATK-48")
@pytest.mark.parametrize(
    "token",
    [
        jwt(aud="https://gateway.example"),
        jwt(aud="https://notes.example/"),
        jwt(aud=["https://notes.example.evil"]),
        jwt(aud={"https://notes.example": 1}),
        jwt(),
        Secret("opaque"),
        Secret("a.b.c"),
        Secret("..."),
    ],
)
def test_a_token_that_is_not_meant_for_the_upstream_is_not_sent_on(token: Secret) -> None:
    with pytest.raises(UpstreamError) as caught:
        forwarded(TokenForward(audience="https://notes.example"), token)

    assert caught.value.failure.code == "token_not_meant"
    assert token.reveal() not in str(caught.value)


@pytest.mark.req("AUTH-11")
def test_a_host_may_say_itself_whose_token_is_meant_for_the_upstream() -> None:
    auth = TokenForward(meant=lambda caller: caller.user == "ann")

    assert forwarded(auth, Secret("opaque")) == "Bearer opaque"
    with pytest.raises(AuthRequired):
        forwarded(auth, None)
    with pytest.raises(UpstreamError):
        forwarded(TokenForward(meant=lambda caller: caller.user == "bob"), Secret("opaque"))


@pytest.mark.req("ATK-48")
async def test_no_other_strategy_sends_the_callers_token_to_the_upstream(authority: Authority) -> None:
    ann = caller_with(authority, "ann")
    sent: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(str(request.headers))
        return httpx2.Response(200)

    authority.clients[CLIENT.id] = Registered(CLIENT.id, SECRET)
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
        for auth in (credentials(authority), exchange(authority)):
            request = client.build_request("GET", "https://notes.example", extensions={CALLER_KEY: ann})
            await client.send(request, auth=auth)

    assert len(sent) == 2
    assert "gateway-ann" not in "".join(sent)


def test_no_repr_shows_a_secret() -> None:
    private, _ = pem()
    shown_texts = [
        repr(OAuthClient(id="x", secret=Secret("sesame"), key=private)),
        repr(ClientCredentials(CLIENT, issuer="https://a.example")),
        repr(TokenExchange(CLIENT, token_endpoint="https://a.example/t")),
    ]

    assert not [text for text in shown_texts if "sesame" in text or "3cret" in text or "PRIVATE" in text]


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
