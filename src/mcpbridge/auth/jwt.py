"""`SignedJwt`: a token that the gateway signs itself (RFC 7519), in a header."""

from __future__ import annotations

import json
import math
import secrets
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import httpx2
from joserfc import jwt
from joserfc.jws import JWSRegistry

from mcpbridge.auth.hmac_keys import KeyEncoding
from mcpbridge.auth.jwt_claims import ID, fields_of, filled, values_of
from mcpbridge.auth.jwt_keys import Algorithm, jwt_key
from mcpbridge.auth.oauth.keys import caller_of
from mcpbridge.auth.static import Place
from mcpbridge.errors import ConfigError
from mcpbridge.openapi.headers import TOKEN
from mcpbridge.secret import MASK, Secret
from mcpbridge.tools import Json

MARGIN = 30.0
"""Seconds before its end that a token is used no more; a tenth of its lifetime where that is less."""

MOST = 1_000
"""Tokens that are kept, one for each caller or address that the claims name."""


class _AsGiven(JWSRegistry):
    """Signs as the host said, which was checked with the key; servers know `EdDSA` by its old name (RFC 9864)."""

    def get_alg(self, name: str) -> Any:  # its type is not exported
        return self.algorithms[name]


_AS_GIVEN = _AsGiven()


@dataclass(frozen=True, slots=True)
class _Token:
    text: Secret
    made: float
    until: float


class SignedJwt(httpx2.Auth):
    """Signs a token for a while, and uses it until shortly before its end: `SignedJwt(pem, algorithm="RS256", …)`.

    key         a private key in PEM, with `password` where it has one; for HS256 the shared key, as `key_encoding` says
    algorithm   RS256, PS256, ES256, EdDSA or HS256
    claims      what the token says besides `iat` and `exp`. Texts may hold {user} {tenant} {agent} of the caller, and
                {origin} {host} {method} {path} of the request: there is a token for each, never another caller's. With
                {id}, a random one, there is a token for each request
    lifetime    seconds from now to `exp`
    backdate    seconds from `iat` to now, for a server whose clock is behind
    key_id      `kid`, where the other side has several keys
    header, prefix   where the token goes
    clock       seconds of the Unix epoch

    Raises: ConfigError for a weak key, one of another algorithm, and settings that contradict each other.
    """

    def __init__(
        self,
        key: str | Secret,
        *,
        algorithm: Algorithm,
        claims: Mapping[str, Json] | None = None,
        lifetime: float = 300.0,
        backdate: float = 0.0,
        key_id: str | None = None,
        header: str = "Authorization",
        prefix: str = "Bearer",
        password: str | Secret | None = None,
        key_encoding: KeyEncoding | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not (math.isfinite(lifetime) and lifetime >= 1 and math.isfinite(backdate) and backdate >= 0):
            raise ConfigError("SignedJwt needs lifetime=… of a second or more, and backdate=… of none or more")
        if TOKEN.fullmatch(header) is None:
            raise ConfigError(f"SignedJwt(header={header!r}) is no name of a header")
        if prefix and TOKEN.fullmatch(prefix) is None:
            raise ConfigError(f"SignedJwt(prefix={prefix!r}) must be one word, such as Bearer, or empty")
        self._key = jwt_key(key, algorithm, password=password, encoding=key_encoding)
        self._claims = _copied(claims or {})
        self._fields = fields_of(self._claims)
        self._protected = {"alg": algorithm, "typ": "JWT", **({} if key_id is None else {"kid": key_id})}
        self._lifetime = lifetime
        self._backdate = backdate
        self._header = header
        self._prefix = f"{prefix} " if prefix else ""
        self._clock = clock
        self._tokens: dict[tuple[str, ...], _Token] = {}
        self._lock = threading.Lock()

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        request.headers[self._header] = self._prefix + self._token(request).reveal()
        yield request

    def writes(self) -> frozenset[tuple[Place, str]]:
        return frozenset({("header", self._header.lower())})

    def _token(self, request: httpx2.Request) -> Secret:
        """The token for a request. Raises: AuthRequired for a caller without what the claims name."""
        values = values_of(self._fields, request, caller_of(request)) if self._fields else {}
        now = self._clock()
        if ID in self._fields:
            return self._made(now, {**values, ID: secrets.token_hex(16)}).text
        whose = tuple(values[name] for name in sorted(values))
        with self._lock:
            token = self._tokens.get(whose)
            if token is None or not token.made <= now < token.until:
                token = self._made(now, values)
                self._tokens.pop(whose, None)
                if len(self._tokens) >= MOST:
                    del self._tokens[next(iter(self._tokens))]
                self._tokens[whose] = token
            return token.text

    def _made(self, now: float, values: Mapping[str, str]) -> _Token:
        ends = math.floor(now + self._lifetime)
        said = cast("dict[str, Any]", filled(self._claims, values))
        claims = {**said, "iat": math.floor(now - self._backdate), "exp": ends}
        text = jwt.encode(self._protected, claims, self._key, registry=_AS_GIVEN)
        return _Token(Secret(text), now, ends - min(MARGIN, self._lifetime / 10))

    def __repr__(self) -> str:
        return f"SignedJwt({MASK!r}, algorithm={self._protected['alg']!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a SignedJwt holds a key, and is neither pickled nor copied: pass the object itself")


def _copied(claims: Mapping[str, Json]) -> dict[str, Json]:
    try:
        return cast("dict[str, Json]", json.loads(json.dumps(dict(claims), allow_nan=False)))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"SignedJwt(claims=…) must be JSON: {error}") from None
