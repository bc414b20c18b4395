"""Records of auth that signs by itself."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import jsonschema_rs
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from mcpbridge.auth.hmac_signature import HmacSignature
from mcpbridge.integrations.credential import Stored
from mcpbridge.integrations.credentials import credentials, with_credentials
from mcpbridge.integrations.errors import InvalidRecord
from mcpbridge.integrations.record import integration_schema, read_integration
from mcpbridge.secret import Secret

CANARY = "s3same-canary-that-is-long-enough-to-sign"
PRIVATE = ec.generate_private_key(ec.SECP256R1())
PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

HMAC = {"type": "hmac", "key": CANARY, "message": "{body}", "headers": {"X-S": "{signature}"}}
GITHUB = {"type": "hmac", "key": CANARY, "preset": "github"}
JWT = {"type": "jwt", "key": PEM, "algorithm": "ES256", "claims": {"iss": "app"}, "key_id": "k1"}
KEY = {"type": "api_key", "value": CANARY, "name": "X-App"}
BEARER = {"type": "bearer", "token": CANARY}
CHAIN = {"type": "chain", "parts": {"app": KEY, "signature": GITHUB, "user": BEARER}}


def record(auth: object) -> Any:
    base = {"name": "x", "protocol": "rest", "openapi": "https://x.example/o.json"}
    return read_integration({**base, "auth": auth})


def signed(auth: object) -> httpx2.Headers:
    with httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200))) as client:
        strategy = record(auth).auth.strategy()
        return client.post("https://x.example/", content=b"{}", auth=strategy).request.headers


@pytest.mark.req("AUTH-02")
def test_an_hmac_signs_by_its_template_or_preset() -> None:
    plain, github = signed(HMAC), signed(GITHUB)

    assert github["x-hub-signature-256"] == f"sha256={plain['x-s']}"
    assert HmacSignature.github(CANARY).verify(github, b"{}")


@pytest.mark.req("AUTH-03")
def test_a_jwt_is_signed_with_a_key_of_several_lines() -> None:
    token = signed(JWT)["authorization"].removeprefix("Bearer ")

    assert jwt.decode(token, ECKey.import_key(PRIVATE.public_key()), ["ES256"]).claims["iss"] == "app"


@pytest.mark.req("AUTH-06")
def test_a_client_s_private_key_may_have_several_lines_too() -> None:
    auth = {"type": "client_credentials", "issuer": "https://as.example", "client_id": "a", "private_key": PEM}

    assert record(auth).auth.private_key.reveal().startswith("-----BEGIN PRIVATE KEY-----\\n")


@pytest.mark.req("AUTH-05")
def test_a_chain_signs_with_every_part() -> None:
    headers = signed(CHAIN)

    assert (headers["x-app"], headers["authorization"]) == (CANARY, f"Bearer {CANARY}")
    assert HmacSignature.github(CANARY).verify(headers, b"{}")


@pytest.mark.req("AUTH-02", "AUTH-03", "AUTH-05")
@pytest.mark.parametrize("auth", [HMAC, GITHUB, JWT, CHAIN], ids=["template", "preset", "jwt", "chain"])
def test_a_record_keeps_its_credentials_in_the_vault_and_shows_none(auth: object) -> None:
    given = record(auth)
    noted = with_credentials(given, lambda _, __: Stored(revision=1))
    shown = json.dumps(noted.model_dump(mode="json"))
    back = read_integration(json.loads(shown))

    assert all(isinstance(each, Secret) for each in credentials(given).values())
    assert back.auth == noted.auth
    for text in (shown, repr(given), str(given.model_dump()), given.model_dump_json()):
        assert CANARY not in text
        assert "PRIVATE" not in text


def test_each_part_of_a_chain_has_its_own_place_in_the_vault() -> None:
    paths = ["auth.parts.app.value", "auth.parts.signature.key", "auth.parts.user.token"]

    assert [*credentials(record(CHAIN))] == paths


@pytest.mark.parametrize("auth", [HMAC, GITHUB, JWT, CHAIN], ids=["template", "preset", "jwt", "chain"])
def test_the_schema_takes_what_the_record_takes(auth: object) -> None:
    base = {"name": "x", "protocol": "rest", "openapi": "https://x.example/o.json"}

    jsonschema_rs.validate(integration_schema(), {**base, "auth": auth})


@pytest.mark.parametrize(
    ("auth", "named"),
    [
        ({**GITHUB, "message": "{body}"}, r"'auth\.message' is given while 'auth\.preset'"),
        ({"type": "hmac", "key": CANARY}, r"'auth\.message' and 'auth\.headers'"),
        ({**HMAC, "message": "{timestamp}"}, "headers=… carries it"),
        ({**HMAC, "digest": "md5"}, "digest"),
        ({**JWT, "key": "k" * 32}, "PEM"),
        ({**JWT, "key": CANARY, "algorithm": "HS256", "password": "p"}, "password=…"),
        ({**JWT, "claims": {"exp": 1}}, "'exp'"),
        ({"type": "chain", "parts": {}}, "parts"),
        ({"type": "chain", "parts": {"a": BEARER, "b": BEARER}}, "all write the header 'authorization'"),
        ({"type": "chain", "parts": {"a": CHAIN}}, "chain within a chain"),
        ({"type": "chain", "parts": {"a": {"type": "berer"}}}, "did you mean 'bearer'"),
    ],
)
def test_what_can_not_work_is_refused_when_it_is_defined(auth: object, named: str) -> None:
    with pytest.raises(InvalidRecord, match=named) as caught:
        record(auth)

    assert CANARY not in f"{caught.value} {caught.value.problems}"
