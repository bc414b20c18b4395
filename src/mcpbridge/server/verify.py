"""`JwtVerifier`: who calls the gateway, by signed access tokens of issuers that the host trusts."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

from mcpbridge.auth.oauth.channel import Channel
from mcpbridge.auth.oauth.checks import Unsound, checked_issuer, checked_url, is_loopback
from mcpbridge.errors import ConfigError
from mcpbridge.net.guard import Guard
from mcpbridge.server.verify_claims import Unverified, check_claims, check_header, unverified
from mcpbridge.server.verify_keys import IssuerKeys
from mcpbridge.server.verify_token import CallerToken, Claims, ToCaller, caller_in, token_of
from mcpbridge.tools import Caller

ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
"""The algorithms that can be allowed: public keys only."""

LEEWAY: Final = 60.0
"""Seconds by which clocks may differ."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Issuer:
    """An issuer whose tokens are taken.

    issuer      exactly as in the claim `iss`
    tenant      of its callers, where `caller` does not say
    caller      who showed a token with these claims; None: the subject as the user, and nothing else of the claims
    jwks_uri    where its keys are; None: where its metadata says (RFC 8414, OpenID Connect)
    algorithms  how its tokens may be signed

    Raises: ConfigError for URLs and algorithms that can't be.
    """

    issuer: str
    tenant: str = ""
    caller: ToCaller | None = None
    jwks_uri: str | None = None
    algorithms: Sequence[str] = ("RS256", "PS256", "ES256", "EdDSA")

    def __post_init__(self) -> None:
        try:
            checked_issuer("issuer", self.issuer, loopback=is_loopback(self.issuer))
            if self.jwks_uri is not None:
                checked_url("jwks_uri", self.jwks_uri, loopback=is_loopback(self.jwks_uri))
        except Unsound as error:
            raise ConfigError(f"Issuer: {error}; write it as https://host/path") from None
        if not self.algorithms or not set(self.algorithms) <= {*ALGORITHMS}:
            raise ConfigError(f"Issuer(algorithms={[*self.algorithms]!r}) must be of {', '.join(ALGORITHMS)}")


class JwtVerifier:
    """Verifies access tokens that are JWTs (RFC 9068), for `to_asgi(verifier=…)`.

    A token is taken where its signature is by a key of the issuer that it names, it is for this `audience`, and it is
    good now. Any other is refused, and never makes an anonymous caller. Keys are kept, and read again when
    a token names a new one; while an issuer does not answer, the keys that are there stay good.

    audience   the gateway's own URL, as its metadata says it (`ResourceMetadata.url`), or all names that issuers use
    guard      for issuers that somebody else named; None: where the host names an issuer it may be anywhere
    transport  the host's own for requests to issuers (a proxy, a private CA); it is not guarded
    clock      gives seconds of the Unix epoch

    Raises: ConfigError for no issuer or audience, and for two issuers whose subjects would be the same users.
    """

    def __init__(
        self,
        *issuers: Issuer,
        audience: str | Sequence[str],
        guard: Guard | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        leeway: float = LEEWAY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._audiences = checked_audiences(audience)
        _check_apart(issuers)
        self._issuers = {issuer.issuer: issuer for issuer in issuers}
        self._keys = {
            issuer.issuer: IssuerKeys(issuer.issuer, issuer.jwks_uri, _channel(issuer, guard, transport), clock)
            for issuer in issuers
        }
        self._leeway = leeway
        self._clock = clock

    async def verify_token(self, token: str) -> CallerToken | None:
        """The token and its caller, or None. Raises: TokensUnavailable where an issuer's keys can't be had now."""
        try:
            return await self._verified(token)
        except Unverified as error:
            logger.info("a token is refused: %s", error)
            return None

    async def _verified(self, token: str) -> CallerToken:
        header, told = unverified(token)
        name = told.get("iss")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        if issuer is None:
            raise Unverified("it is of another issuer")
        check_header(header, issuer.algorithms)
        claims = await self._signed(token, header, issuer)
        check_claims(claims, issuer=issuer.issuer, audiences=self._audiences, now=self._clock(), leeway=self._leeway)
        return token_of(
            token, claims, caller_for(issuer.caller or caller_in(issuer.tenant), claims), audience=self._audiences[0]
        )

    async def _signed(self, token: str, header: Claims, issuer: Issuer) -> Claims:
        for key in await self._keys[issuer.issuer].of(header):
            try:
                return _decoded(token, key, issuer.algorithms)
            except (JoseError, ValueError):
                continue
        raise Unverified("its signature is by no key of its issuer")


def _decoded(token: str, key: Key, algorithms: Sequence[str]) -> Claims:
    """The claims of a token that this key has signed. Raises: JoseError, ValueError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # joserfc warns of the name EdDSA (RFC 9864), which issuers go on to use
        return jwt.decode(token, key, algorithms=[*algorithms]).claims


def caller_for(to_caller: ToCaller, claims: Claims) -> Caller:
    """The caller of verified claims. Raises: Unverified, where the host's function raises or gives none."""
    try:
        caller = cast("object", to_caller(claims))
    except Exception as error:  # noqa: BLE001 - whatever the host's function raises must not let anybody in
        raise Unverified(f"its caller can't be told ({type(error).__name__})") from None
    if not isinstance(caller, Caller):
        raise Unverified("its caller can't be told: the function gave no Caller")
    return caller


def checked_audiences(audience: str | Sequence[str]) -> Sequence[str]:
    """The names of the gateway that tokens are for. Raises: ConfigError for none."""
    named = (audience,) if isinstance(audience, str) else tuple(audience)
    if not named or not all(named):
        raise ConfigError("a verifier needs audience=…, the gateway's own URL: tokens for others must not be taken")
    return named


def _check_apart(issuers: Sequence[Issuer]) -> None:
    if not issuers:
        raise ConfigError("JwtVerifier needs at least one Issuer")
    if len({issuer.issuer for issuer in issuers}) != len(issuers):
        raise ConfigError("JwtVerifier has one issuer twice")
    plain = [issuer.tenant for issuer in issuers if issuer.caller is None]
    if len({*plain}) != len(plain):
        raise ConfigError(
            "two issuers have one tenant, so a subject of one would be the user of the other: give each a tenant=…"
        )


def _channel(issuer: Issuer, guard: Guard | None, transport: httpx2.AsyncBaseTransport | None) -> Channel:
    named = [issuer.issuer] if issuer.jwks_uri is None else [issuer.issuer, issuer.jwks_uri]
    return Channel(named=named, guard=guard, transport=transport)
