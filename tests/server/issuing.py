"""An issuer of access tokens, with its metadata and keys behind a mock transport."""

from __future__ import annotations

import base64
import hmac
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeyParameters, OKPKey, RSAKey

ISSUER = "https://login.example"
AUDIENCE = "https://gateway.example/mcp"
NOW = 1_800_000_000


@dataclass
class Issuing:
    """`now` is its clock; `more` are further entries of its JWKS, `stated` is put over its metadata."""

    issuer: str = ISSUER
    algorithm: str = "RS256"
    down: bool = False
    now: float = NOW
    more: Sequence[Any] = ()
    stated: dict[str, Any] = field(default_factory=dict[str, Any])
    asked: list[httpx2.Request] = field(default_factory=list[httpx2.Request])
    generation: int = 0

    def __post_init__(self) -> None:
        self.rotate()
        self.transport = httpx2.MockTransport(self.answer)

    def __call__(self) -> float:
        return self.now

    @property
    def kid(self) -> str:
        return f"key-{self.generation}"

    def rotate(self) -> None:
        """Signs with a new key from now on."""
        self.generation += 1
        named: KeyParameters = {"kid": self.kid}
        match self.algorithm:
            case "ES256":
                self.key: Key = ECKey.generate_key("P-256", named)
            case "EdDSA":
                self.key = OKPKey.generate_key("Ed25519", named)
            case _:
                self.key = RSAKey.generate_key(2048, named)

    def public(self) -> Any:
        return self.key.as_dict(private=False)

    def public_pem(self) -> bytes:
        assert isinstance(self.key, RSAKey)
        return self.key.as_pem(private=False)

    def claims(self, **changed: Any) -> dict[str, Any]:
        claims = {"iss": self.issuer, "aud": AUDIENCE, "sub": "ann", "iat": NOW, "exp": NOW + 300, **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, *, header: dict[str, Any] | None = None, **changed: Any) -> str:
        head = {"alg": self.algorithm, "kid": self.kid, "typ": "at+jwt", **(header or {})}
        return _signed(head, self.claims(**changed), self.key)

    def signed_with(self, key: Key, *, kid: str) -> str:
        return _signed({"alg": "RS256", "kid": kid}, self.claims(), key)

    def by_hand(self, algorithm: str, *, secret: bytes = b"") -> str:
        """A token without a signature, or with one by a shared secret."""
        signed = ".".join(map(_part, ({"alg": algorithm, "kid": self.kid}, self.claims())))
        tag = hmac.digest(secret, signed.encode(), "sha256") if secret else b""
        return f"{signed}.{base64.urlsafe_b64encode(tag).decode().rstrip('=')}"

    def readings(self) -> int:
        """How often its keys were read."""
        return sum(request.url.path == "/keys" for request in self.asked)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if self.down:
            return httpx2.Response(503)
        if request.url.path == "/keys":
            return httpx2.Response(200, json={"keys": [self.public(), *self.more]})
        if request.url.path == "/.well-known/oauth-authorization-server":
            return httpx2.Response(200, json={"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **self.stated})
        return httpx2.Response(404)


def weak_key() -> Key:
    """An RSA key of 1024 bits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RSAKey.generate_key(1024, {"kid": "weak"})


def _signed(header: dict[str, Any], claims: dict[str, Any], key: Key) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # joserfc warns of weak keys, and of the name EdDSA
        return jwt.encode(header, claims, key, algorithms=[header["alg"]])


def _part(stated: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(stated).encode()).decode().rstrip("=")
