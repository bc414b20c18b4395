"""`IntrospectionVerifier`: who calls the gateway, by tokens that only their issuer can read (RFC 7662)."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Final, cast

import httpx2

from mcpbridge.auth.oauth.channel import Channel
from mcpbridge.auth.oauth.checks import Unsound, checked_url, is_loopback
from mcpbridge.auth.oauth.clients import shown
from mcpbridge.auth.oauth.keys import fingerprint
from mcpbridge.auth.oauth.values import AuthorizationServer, OAuthClient
from mcpbridge.errors import ConfigError, UpstreamError
from mcpbridge.net.guard import Guard
from mcpbridge.server.verify import LEEWAY, caller_for, checked_audiences
from mcpbridge.server.verify_claims import LONGEST, Unverified, check_audience, check_times
from mcpbridge.server.verify_token import CallerToken, Claims, ToCaller, TokensUnavailable, caller_in, token_of
from mcpbridge.tools import Json

MOST: Final = 10_000
"""Answers that are kept."""

logger = logging.getLogger(__name__)


class IntrospectionVerifier:
    """Asks an authorization server whether a token is good, for `to_asgi(verifier=…)`.

    The answer must say that the token is active, for this `audience`, and until when. It is kept for `keep` seconds,
    and never longer than the token is good: for so long a revoked token goes on. `client` is the gateway's own at the
    server. Where the server can't be asked nobody is refused: HTTP answers 503.

    tenant, caller   as in `Issuer`
    guard, transport, clock   as in `JwtVerifier`

    Raises: ConfigError for an endpoint or audience that can't be.
    """

    def __init__(
        self,
        endpoint: str,
        client: OAuthClient,
        *,
        audience: str | Sequence[str],
        tenant: str = "",
        caller: ToCaller | None = None,
        keep: float = 30.0,
        guard: Guard | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        try:
            self._server = AuthorizationServer(
                token_endpoint=checked_url("endpoint", endpoint, loopback=is_loopback(endpoint))
            )
        except Unsound as error:
            raise ConfigError(f"IntrospectionVerifier: {error}; write it as https://host/path") from None
        self._client = client
        self._audiences = checked_audiences(audience)
        self._caller = caller or caller_in(tenant)
        self._keep = keep
        self._channel = Channel(named=[endpoint], guard=guard, transport=transport)
        self._clock = clock
        self._known: dict[str, tuple[CallerToken, float]] = {}

    async def verify_token(self, token: str) -> CallerToken | None:
        """The token and its caller, or None. Raises: TokensUnavailable where the server can't be asked now."""
        if not token or len(token) > LONGEST:
            return None
        number, now = fingerprint(token), self._clock()
        known = self._known.get(number)
        if known is not None and now < known[1]:
            return known[0]
        try:
            verified = self._read(token, await self._asked(token))
        except Unverified as error:
            self._known.pop(number, None)
            logger.info("a token is refused: %s", error)
            return None
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[number] = (verified, min(now + self._keep, verified.expires_at or now))
        return verified

    def _read(self, token: str, said: Claims) -> CallerToken:
        if said.get("active") is not True:
            raise Unverified("its issuer says that it is not active")
        check_audience(said, self._audiences)
        check_times(said, now=self._clock(), leeway=LEEWAY)
        return token_of(token, said, caller_for(self._caller, said), audience=self._audiences[0])

    async def _asked(self, token: str) -> Claims:
        """The server's answer (RFC 7662 section 2.2). Raises: TokensUnavailable."""
        url = self._server.token_endpoint
        known = shown(self._client, self._server, now=self._clock(), id=secrets.token_urlsafe(16))
        form = {"token": token, "token_type_hint": "access_token", **known.form}
        try:
            said = await self._channel.post(url, form, known.headers)
        except UpstreamError as error:
            raise TokensUnavailable(f"tokens can't be checked: {error}") from error
        try:
            stated: Json = json.loads(said.content) if said.status == 200 else None
        except (ValueError, RecursionError):
            stated = None
        if not isinstance(stated, dict):
            raise TokensUnavailable(
                f"tokens can't be checked: the endpoint answered {said.status} and no JSON object; "
                "check the endpoint, client_id and client_secret"
            )
        return cast("Claims", stated)
