"""`IssuerKeys`: the public keys of one issuer, kept, and read again when a token names one that is new."""

from __future__ import annotations

import asyncio
import json
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from mcpbridge.auth.oauth.channel import Channel
from mcpbridge.auth.oauth.checks import Unsound, checked_url
from mcpbridge.auth.oauth.metadata import server_places
from mcpbridge.errors import UpstreamError
from mcpbridge.openapi.jsontext import is_list
from mcpbridge.server.verify_token import Claims, TokensUnavailable
from mcpbridge.tools import Json

KEPT: Final = 600.0
"""Seconds for which keys are used without being read again."""

PAUSE: Final = 10.0
"""Seconds between two readings that tokens with unknown key ids ask for: anybody can make up such ids."""

MOST: Final = 100
"""Keys of one issuer."""

_KINDS: Final[Mapping[str, tuple[type[Key], ...]]] = {
    "RS": (RSAKey,),
    "PS": (RSAKey,),
    "ES": (ECKey,),
    "Ed": (OKPKey,),
}

logger = logging.getLogger(__name__)


class IssuerKeys:
    """Keys of the issuer, from its JWKS. Keys that were read stay good while the issuer does not answer."""

    def __init__(self, issuer: str, url: str | None, channel: Channel, clock: Callable[[], float]) -> None:
        self._issuer = issuer
        self._url = url
        self._channel = channel
        self._clock = clock
        self._keys: Sequence[Key] | None = None
        self._read = 0.0
        self._lock = asyncio.Lock()

    async def of(self, header: Claims) -> Sequence[Key]:
        """The keys that a token with this header may be signed with. Raises: TokensUnavailable."""
        if self._keys is None or self._clock() - self._read >= KEPT:
            await self._renew(KEPT)
        if not (found := self._fitting(header)):
            await self._renew(PAUSE)
            found = self._fitting(header)
        return found

    def _fitting(self, header: Claims) -> Sequence[Key]:
        kinds = _KINDS.get(str(header.get("alg"))[:2], ())
        keys = [key for key in self._keys or () if isinstance(key, kinds)]
        return [key for key in keys if key.kid == header["kid"]] if "kid" in header else keys

    async def _renew(self, age: float) -> None:
        async with self._lock:
            if self._keys is not None and self._clock() - self._read < age:
                return  # somebody else has just read them
            try:
                self._keys = read_keys(await self._json(self._url or await self._place()))
            except (UpstreamError, Unsound) as error:
                logger.warning("the keys of issuer %r can't be read: %s", self._issuer, error)
                if self._keys is None:
                    raise TokensUnavailable(f"the keys of issuer {self._issuer!r} can't be read now") from error
            self._read = self._clock()

    async def _place(self) -> str:
        """Where the issuer says that its keys are (RFC 8414 section 2)."""
        for url in server_places(self._issuer):
            try:
                stated = await self._json(url)
            except Unsound:
                continue
            if stated.get("issuer") != self._issuer:
                raise Unsound("the issuer in its metadata is another one")
            return checked_url("jwks_uri", stated.get("jwks_uri"), loopback=self._channel.loopback)
        raise Unsound("it publishes no metadata: give jwks_uri")

    async def _json(self, url: str) -> Mapping[str, Json]:
        said = await self._channel.get(url)
        if said.status != 200:
            raise Unsound(f"it answered {said.status}")
        try:
            stated: Json = json.loads(said.content)
        except (ValueError, RecursionError):
            raise Unsound("it answered with no JSON") from None
        if not isinstance(stated, dict):
            raise Unsound("it answered with no JSON object")
        return cast("Mapping[str, Json]", stated)


def read_keys(stated: Mapping[str, Json]) -> Sequence[Key]:
    """The keys of a JWKS (RFC 7517 section 5) that can check signatures; what can't be used is left out.

    A symmetric key is never one of them: whoever reads a JWKS could sign with it. Raises: Unsound for no JWKS.
    """
    listed: Json = stated.get("keys")
    if not is_list(listed):
        raise Unsound("it answered with no JWKS")
    found = (_key(each) for each in listed[:MOST])
    return [key for key in found if key is not None]


def _key(stated: Json) -> Key | None:
    if not isinstance(stated, dict):
        return None
    told = cast("dict[str, Json]", stated)
    if told.get("kty") not in ("RSA", "EC", "OKP") or told.get("use", "sig") != "sig":
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joserfc warns of RSA below 2048 bits, which is left out here
            key = import_key(told)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None if isinstance(key, RSAKey) and key.public_key.key_size < 2048 else key
