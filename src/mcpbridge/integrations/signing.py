"""Auth that signs by itself, as records: HMAC by template, a JWT of our own, a certificate, and several together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, Self

import httpx2
from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from mcpbridge.auth.certificate import client_certificate
from mcpbridge.auth.certificate_context import client_context
from mcpbridge.auth.chain import Chain
from mcpbridge.auth.hmac_keys import KeyEncoding
from mcpbridge.auth.hmac_signature import Digest, Encoding, HmacSignature
from mcpbridge.auth.hmac_times import TimeFormat
from mcpbridge.auth.jwt import SignedJwt
from mcpbridge.auth.jwt_keys import Algorithm
from mcpbridge.integrations.auth import AuthRecord, AuthSchema, Use, auth_kinds, read_auth, register_auth, revealed
from mcpbridge.integrations.credential import Credential, KeyCredential, Pem
from mcpbridge.integrations.text import Word
from mcpbridge.net.guard import Guard
from mcpbridge.net.limits import Limits
from mcpbridge.secret import Secret
from mcpbridge.tools import Json

_PRESETS: Final = {
    "github": HmacSignature.github,
    "slack": HmacSignature.slack,
    "stripe": HmacSignature.stripe,
    "standard_webhooks": HmacSignature.standard_webhooks,
}


class HmacAuth(AuthRecord, frozen=True):
    """An HMAC by one of the `preset`s, or by a template: see `mcpbridge.HmacSignature`."""

    type: Literal["hmac"]
    key: Credential
    preset: Literal["github", "slack", "stripe", "standard_webhooks"] | None = None
    message: Annotated[str, Field(max_length=4000)] | None = None
    headers: dict[Word, Word] = Field(default_factory=dict, max_length=20)
    digest: Digest = "sha256"
    encoding: Encoding = "hex"
    key_id: Word | None = None
    key_encoding: KeyEncoding = "text"
    timestamp: TimeFormat = "seconds"
    separator: Annotated[str, Field(max_length=4)] = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        unset = {name: field.get_default(call_default_factory=True) for name, field in _TEMPLATE.items()}
        stated = [name for name, default in unset.items() if getattr(self, name) != default]
        if self.preset is not None and stated:
            raise ValueError(f"'auth.{min(stated)}' is given while 'auth.preset' is: keep one of the two")
        if self.preset is None and (self.message is None or not self.headers):
            raise ValueError("'auth.message' and 'auth.headers' are needed where 'auth.preset' is missing")
        return self

    def strategy(self) -> httpx2.Auth:
        if self.preset is not None:
            return _PRESETS[self.preset](revealed(self.key))
        return HmacSignature(
            revealed(self.key),
            message=self.message or "",
            headers=self.headers,
            digest=self.digest,
            encoding=self.encoding,
            key_id=self.key_id,
            key_encoding=self.key_encoding,
            timestamp=self.timestamp,
            separator=self.separator,
        )


_TEMPLATE: Final = {
    name: field for name, field in HmacAuth.model_fields.items() if name not in {"type", "key", "preset"}
}


class JwtAuth(AuthRecord, frozen=True):
    """A JWT that the gateway signs: see `mcpbridge.SignedJwt`. `key` is PEM, or for HS256 the shared key."""

    type: Literal["jwt"]
    key: KeyCredential
    algorithm: Algorithm
    claims: dict[Word, Json] = Field(default_factory=dict, max_length=100)
    lifetime: float = 300.0
    backdate: float = 0.0
    key_id: Word | None = None
    header: Word = "Authorization"
    prefix: Annotated[str, Field(max_length=100)] = "Bearer"
    password: Credential | None = None
    key_encoding: KeyEncoding | None = None

    def strategy(self) -> httpx2.Auth:
        return SignedJwt(
            revealed(self.key),
            algorithm=self.algorithm,
            claims=self.claims,
            lifetime=self.lifetime,
            backdate=self.backdate,
            key_id=self.key_id,
            header=self.header,
            prefix=self.prefix,
            password=None if self.password is None else revealed(self.password),
            key_encoding=self.key_encoding,
        )


class MtlsAuth(AuthRecord, frozen=True):
    """A client certificate, shown to the upstream: see `mcpbridge.client_certificate`. `cert` and `roots` are PEM."""

    type: Literal["mtls"]
    cert: Pem
    key: KeyCredential
    password: Credential | None = None
    roots: Pem | None = None

    def strategy(self) -> httpx2.Auth | None:
        client_context(self.cert, revealed(self.key), password=self._phrase(), roots=self.roots)
        return None

    def used(self, use: Use) -> httpx2.Auth | None:
        return None

    def pool(self, limits: Limits, guard: Guard) -> httpx2.AsyncBaseTransport:
        key, phrase = revealed(self.key), self._phrase()
        return client_certificate(self.cert, key, phrase, roots=self.roots, limits=limits, guard=guard)

    def _phrase(self) -> Secret | None:
        return None if self.password is None else revealed(self.password)


class _PartSchema(AuthSchema):
    """A kind of auth that is no chain itself."""

    @classmethod
    def read(cls, value: object) -> AuthRecord:
        part = read_auth(value)
        if isinstance(part, ChainAuth):
            raise ValueError("is a chain within a chain: put its parts into the outer one")  # noqa: TRY004 - for pydantic
        return part

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        kinds = [kind for kind in auth_kinds() if kind is not ChainAuth]
        return {"oneOf": [kind.model_json_schema(by_alias=True) for kind in kinds]}


class ChainAuth(AuthRecord, frozen=True):
    """Several kinds on one request, in their order: see `mcpbridge.Chain`. Each part has a name of its own."""

    type: Literal["chain"]
    parts: dict[Word, Annotated[AuthRecord, _PartSchema]] = Field(min_length=1, max_length=20)

    @model_validator(mode="after")
    def _one_certificate(self) -> Self:
        showing = [name for name, part in self.parts.items() if isinstance(part, MtlsAuth)]
        if len(showing) > 1:
            raise ValueError(f"{showing[0]!r} and {showing[1]!r} are both 'mtls': a connection shows one certificate")
        return self

    def strategy(self) -> httpx2.Auth | None:
        return _chained([part.strategy() for part in self.parts.values()])

    def used(self, use: Use) -> httpx2.Auth | None:
        return _chained([part.used(use) for part in self.parts.values()])

    def pool(self, limits: Limits, guard: Guard) -> httpx2.AsyncBaseTransport | None:
        pools = (part.pool(limits, guard) for part in self.parts.values())
        return next((pool for pool in pools if pool is not None), None)


def _chained(auths: Sequence[httpx2.Auth | None]) -> httpx2.Auth | None:
    signing = [auth for auth in auths if auth is not None]
    return Chain(*signing) if signing else None


def register_signing() -> None:
    """Adds these kinds, so that records may name them."""
    for kind in (HmacAuth, JwtAuth, MtlsAuth, ChainAuth):
        register_auth(kind)
