"""How a client shows at an endpoint who it is. Pure: the time and the assertion's id are passed in."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from mcpbridge.auth.oauth.values import AuthorizationServer, Method, OAuthClient
from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret

ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_PEM: Final = re.compile(r"(-----BEGIN [A-Z0-9 ]+-----)([A-Za-z0-9+/=\s]+)(-----END [A-Z0-9 ]+-----)")

LIFETIME: Final = 120
"""Seconds that an assertion is good for."""

_CURVES: Final[Mapping[str, str]] = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What a request gets so that the client is known: more fields of its form, and headers."""

    form: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def method_of(client: OAuthClient, methods: Sequence[str]) -> Method:
    """The client's own method, or the first that fits its credentials and the server."""
    if client.method is not None:
        return client.method
    if client.key is not None:
        return "private_key_jwt"
    if not client.secret:
        return "none"
    return (
        "client_secret_post"
        if "client_secret_basic" not in methods and "client_secret_post" in methods
        else ("client_secret_basic")
    )


def shown(client: OAuthClient, server: AuthorizationServer, *, now: float, id: str) -> Shown:
    """The client's authentication at the token and revocation endpoints (RFC 6749 section 2.3, RFC 7523 section 2.2).

    `now` is in seconds of the Unix epoch, `id` the unique id of an assertion. Raises: ConfigError for a key that is
    none, or too weak.
    """
    method = method_of(client, server.methods)
    secret = client.secret.reveal() if client.secret else ""
    match method:
        case "none":
            return Shown(form={"client_id": client.id})
        case "client_secret_post":
            return Shown(form={"client_id": client.id, "client_secret": secret})
        case "client_secret_basic":
            pair = f"{_form(client.id)}:{_form(secret)}".encode("ascii")
            return Shown(form={}, headers={"Authorization": "Basic " + base64.b64encode(pair).decode("ascii")})
        case "client_secret_jwt" | "private_key_jwt":
            audience = client.audience or server.id
            assertion = _assertion(client, audience, now=now, id=id)
            return Shown(
                form={"client_id": client.id, "client_assertion_type": ASSERTION, "client_assertion": assertion}
            )


def _form(text: str) -> str:
    """Form-encoded (RFC 6749 section 2.3.1), with `%20` for a blank, which every server reads."""
    return quote(text, safe="")


def _assertion(client: OAuthClient, audience: str, *, now: float, id: str) -> str:
    """A JWT that says who the client is (RFC 7523 section 3)."""
    key, algorithm = _key(client)
    header = {"alg": algorithm, "typ": "JWT", **({"kid": client.key_id} if client.key_id else {})}
    claims = {
        "iss": client.id,
        "sub": client.id,
        "aud": audience,
        "iat": int(now),
        "exp": int(now) + LIFETIME,
        "jti": id,
    }
    try:
        return jwt.encode(header, claims, key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError) as error:
        raise ConfigError(
            f"the client {client.id!r} can't sign with {algorithm!r} ({type(error).__name__}): check its key"
        ) from None


def _key(client: OAuthClient) -> tuple[Key, str]:
    """The key and how it signs, weak ones refused (RFC 7518 sections 3.2 and 3.3)."""
    if client.key is None:
        secret = (client.secret or Secret("")).reveal().encode()
        if len(secret) < 32:
            raise ConfigError(
                f"the secret of the client {client.id!r} is too short to sign with: client_secret_jwt needs 32 bytes"
            )
        return OctKey.import_key(secret), client.algorithm or "HS256"
    try:
        private = load_pem_private_key(_pem(Secret.of(client.key)), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    match private:
        case RSAPrivateKey():
            if private.key_size < 2048:
                raise ConfigError(f"the key of the client {client.id!r} is too weak: RSA needs 2048 bits")
            return RSAKey.import_key(private), client.algorithm or "RS256"
        case EllipticCurvePrivateKey():
            return ECKey.import_key(private), client.algorithm or _CURVES.get(private.curve.name, "ES256")
        case Ed25519PrivateKey():
            return OKPKey.import_key(private), client.algorithm or "Ed25519"  # RFC 9864 section 2.2
        case _:
            raise ConfigError(f"the key of the client {client.id!r} is no private key: give PEM without a passphrase")


def _pem(secret: Secret) -> bytes:
    """A PEM text (RFC 7468) with its line ends, from one that has blanks there, or ends that are escaped."""
    found = _PEM.fullmatch(secret.reveal().replace("\\n", " ").strip())
    return b"" if found is None else "\n".join((found[1], *found[2].split(), found[3], "")).encode("ascii")
