"""Tokens that the gateway signs itself."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from mcpbridge.auth.jwt import SignedJwt
from mcpbridge.auth.oauth.keys import CALLER_KEY
from mcpbridge.auth.pem import pem_line
from mcpbridge.errors import AuthRequired, ConfigError
from mcpbridge.secret import Secret
from mcpbridge.tools import Caller

pytestmark = pytest.mark.req("AUTH-03")

NOW = 1_780_000_000.0
SHARED = "k" * 32
URL = "https://api.example.com:8443/v1/things?q=1"


@cache
def private(kind: str) -> Any:
    return {
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
        "weak": lambda: rsa.generate_private_key(65537, 1024),
        "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
        "other curve": lambda: ec.generate_private_key(ec.SECP384R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "ed448": ed448.Ed448PrivateKey.generate,
    }[kind]()


def pem(kind: str, password: bytes | None = None) -> str:
    how = NoEncryption() if password is None else BestAvailableEncryption(password)
    return str(private(kind).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how), "ascii")


def public(kind: str) -> bytes:
    return bytes(private(kind).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


def signed(auth: httpx2.Auth, caller: Caller | None = None, method: str = "GET") -> str:
    """What a client sends in `Authorization`."""
    request = httpx2.Request(method, URL, extensions={CALLER_KEY: caller} if caller else {})
    with httpx2.Client(transport=httpx2.MockTransport(lambda sent: httpx2.Response(200)), auth=auth) as client:
        return str(client.send(request).request.headers["authorization"])


def shared(**settings: Any) -> SignedJwt:
    return SignedJwt(SHARED, algorithm="HS256", clock=settings.pop("clock", lambda: NOW), **settings)


def claims(header: str, key: Any = None, algorithm: str = "HS256") -> dict[str, Any]:
    return dict(jwt.decode(header.removeprefix("Bearer "), key or OctKey.import_key(SHARED), [algorithm]).claims)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # says the library that verifies here
@pytest.mark.parametrize(
    ("algorithm", "kind", "read"),
    [
        ("RS256", "rsa", RSAKey),
        ("PS256", "rsa", RSAKey),
        ("ES256", "ec", ECKey),
        ("EdDSA", "ed25519", OKPKey),
        ("EdDSA", "ed448", OKPKey),
    ],
)
def test_each_algorithm_verifies_with_the_public_key_alone(algorithm: Any, kind: str, read: Any) -> None:
    auth = SignedJwt(pem(kind), algorithm=algorithm, claims={"iss": "app"}, key_id="k1", clock=lambda: NOW)
    token = jwt.decode(signed(auth).removeprefix("Bearer "), read.import_key(public(kind)), [algorithm])

    assert token.header == {"alg": algorithm, "typ": "JWT", "kid": "k1"}
    assert token.claims == {"iss": "app", "iat": NOW, "exp": NOW + 300}


def test_an_edwards_key_signs_without_a_warning() -> None:
    assert signed(SignedJwt(pem("ed25519"), algorithm="EdDSA")).startswith("Bearer ey")


def test_a_shared_key_signs_what_the_claims_say() -> None:
    auth = shared(claims={"iss": "app", "aud": ["a", "b"]}, lifetime=600, backdate=60)

    assert claims(signed(auth)) == {"iss": "app", "aud": ["a", "b"], "iat": NOW - 60, "exp": NOW + 600}


def test_a_token_goes_where_it_is_wanted() -> None:
    request = httpx2.Request("GET", URL)
    next(shared(header="X-Assertion", prefix="").auth_flow(request))

    assert claims(request.headers["x-assertion"])["exp"] == NOW + 300


@pytest.mark.parametrize(
    "key",
    [pem("ec"), Secret(pem_line(pem("ec"))), pem_line(pem("ec")), pem("ec").replace("\n", " "), pem("ec", b"open")],
)
def test_a_key_is_read_from_several_lines_from_one_and_with_its_passphrase(key: Any) -> None:
    password = "open" if isinstance(key, str) and "ENCRYPTED" in key else None
    header = signed(SignedJwt(key, algorithm="ES256", password=password, clock=lambda: NOW))

    assert claims(header, ECKey.import_key(public("ec")), "ES256")["iat"] == NOW


@pytest.mark.parametrize(("lifetime", "until"), [(300.0, 270.0), (60.0, 54.0), (86_400.0, 86_370.0)])
def test_a_token_is_used_until_near_its_end(lifetime: float, until: float) -> None:
    clock = Clock()
    auth = shared(lifetime=lifetime, clock=clock)
    first = signed(auth)

    clock.now = NOW + until - 1
    assert signed(auth) == first
    clock.now = NOW + until
    assert claims(signed(auth))["iat"] == NOW + until


def test_a_clock_that_is_set_back_makes_another_token() -> None:
    clock = Clock()
    auth = shared(clock=clock)
    signed(auth)

    clock.now = NOW - 1000
    assert claims(signed(auth))["exp"] == NOW - 700


def test_claims_name_who_calls_and_what_is_called() -> None:
    template = {"sub": "{tenant}:{user}", "act": {"sub": "{agent}"}, "aud": ["{origin}"], "on": "{method} {host}{path}"}
    caller = Caller(tenant="t", user="{agent}", agent="bot")

    assert claims(signed(shared(claims=template), caller, "POST")) == {
        "sub": "t:{agent}",
        "act": {"sub": "bot"},
        "aud": ["https://api.example.com:8443"],
        "on": "POST api.example.com/v1/things",
        "iat": NOW,
        "exp": NOW + 300,
    }


@given(st.lists(st.tuples(st.sampled_from(["t", "u", "tu"]), st.sampled_from(["u", "x", "ux"])), max_size=20))
def test_no_caller_gets_another_one_s_token(calls: list[tuple[str, str]]) -> None:
    auth = shared(claims={"sub": "{user}", "tid": "{tenant}"})

    for tenant, user in calls:
        told = claims(signed(auth, Caller(tenant=tenant, user=user)))
        assert (told["tid"], told["sub"]) == (tenant, user)


def test_no_caller_gets_another_one_s_token_in_threads() -> None:
    auth = shared(claims={"sub": "{user}"})
    users = [f"user-{number % 1_200}" for number in range(2_400)]  # more than are kept

    def sent(user: str) -> str:
        return next(auth.auth_flow(_of(user))).headers["authorization"]

    with ThreadPoolExecutor(8) as pool:
        assert [claims(header)["sub"] for header in pool.map(sent, users)] == users


def _of(user: str) -> httpx2.Request:
    return httpx2.Request("GET", URL, extensions={CALLER_KEY: Caller(user=user)})


def test_a_random_id_makes_a_token_for_each_request() -> None:
    auth = shared(claims={"jti": "{id}"})

    assert claims(signed(auth))["jti"] != claims(signed(auth))["jti"]


def test_a_caller_without_the_name_that_is_needed_has_to_log_in() -> None:
    with pytest.raises(AuthRequired, match="its user"):
        signed(shared(claims={"sub": "{user}"}), Caller(user=None))


def _shared_of(key: Any, **settings: Any) -> Callable[[], SignedJwt]:
    return lambda: SignedJwt(key, algorithm="HS256", **settings)


def _of_pem(algorithm: Any, key: str, **settings: Any) -> Callable[[], SignedJwt]:
    return lambda: SignedJwt(key, algorithm=algorithm, **settings)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (_of_pem("RS256", pem("weak")), "RSA key of at least 2048 bits; key=… is RSA of 1024 bits"),
        (_of_pem("PS256", pem("weak")), "2048"),
        (_of_pem("RS256", pem("ec")), "RSA key"),
        (_of_pem("ES256", pem("rsa")), "P-256"),
        (_of_pem("ES256", pem("other curve")), "P-256"),
        (_of_pem("EdDSA", pem("ec")), "Ed25519"),
        (_of_pem("RS256", public("rsa").decode()), "no private key"),
        (_of_pem("RS256", "/etc/key.pem"), "not the path"),
        (_of_pem("RS256", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----"), "no private key"),
        (_of_pem("ES256", pem("ec", b"open")), "is encrypted: pass password"),
        (_of_pem("ES256", pem("ec", b"open"), password="wrong"), "password"),
        (_of_pem("ES256", pem("ec"), password="open"), "leave password=… out"),
        (_of_pem("ES256", pem("ec"), key_encoding="hex"), r"key_encoding=…\) .* algorithm"),
        (_of_pem("none", "x"), "algorithm='none'"),
        (_of_pem("HS512", SHARED), "algorithm='HS512'"),
        (_shared_of("k" * 31), "31 bytes"),
        (_shared_of("ab" * 31, key_encoding="hex"), "31 bytes"),
        (_shared_of("xy" * 32, key_encoding="hex"), "key_encoding='hex'"),
        (_shared_of(SHARED, password="p"), r"password=…\) .* algorithm='HS256'"),
        (_shared_of(SHARED, claims={"exp": 1}), r"'exp'.* lifetime=…"),
        (_shared_of(SHARED, claims={"iat": 1}), r"'iat'.* backdate=…"),
        (_shared_of(SHARED, claims={"sub": "{name}"}), r"\{name\} in '\{name\}' is no field"),
        (_shared_of(SHARED, claims={"sub": "{user.__class__}"}), "is no field"),
        (_shared_of(SHARED, claims={"sub": "{user"}), "braces"),
        (_shared_of(SHARED, claims={"sub": {1}}), "must be JSON"),
        (_shared_of(SHARED, lifetime=0), "lifetime"),
        (_shared_of(SHARED, lifetime=float("nan")), "lifetime"),
        (_shared_of(SHARED, backdate=-1), "backdate"),
        (_shared_of(SHARED, header="X Y"), "header"),
        (_shared_of(SHARED, prefix="a\nb"), "prefix"),
    ],
)
def test_a_weak_key_and_settings_that_can_not_work_are_refused(make: Callable[[], SignedJwt], named: str) -> None:
    with pytest.raises(ConfigError, match=named) as caught:
        make()

    assert SHARED[:31] not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_shows_the_key_or_a_token() -> None:
    auth = shared()
    token = signed(auth).removeprefix("Bearer ")

    assert SHARED not in f"{auth!r} {vars(auth)}"
    assert token not in f"{auth!r} {vars(auth)}"
    for way in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="holds a key"):
            way(auth)
