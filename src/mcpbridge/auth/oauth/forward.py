"""`TokenForward`: the caller's own token, sent on to the upstream that it is meant for."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Callable, Generator
from typing import cast

import httpx2

from mcpbridge.auth.oauth.keys import caller_of
from mcpbridge.errors import AuthRequired, ConfigError, Failure, UpstreamError
from mcpbridge.secret import Secret
from mcpbridge.tools import Caller, Json


class TokenForward(httpx2.Auth):
    """Sends the token that the caller showed the gateway, where it is meant for this upstream; nothing else does that.

    audience   the upstream's name in tokens: the token must be a JWT whose `aud` holds it (RFC 7519 section 4.1.3)
    meant      for tokens that are no JWTs: a function of the host that says whether a caller's is meant for it

    The gateway's verifier must have verified the token: here only its audience is read. What came in the gateway's
    request is never copied; the token is that of the `Caller`.

    Raises: ConfigError where neither is given.
    """

    def __init__(self, *, audience: str | None = None, meant: Callable[[Caller], bool] | None = None) -> None:
        if not audience and meant is None:
            raise ConfigError(
                "TokenForward needs audience=… or meant=…: a token is sent only to the upstream that it is meant for"
            )
        self._audience = audience
        self._meant = meant

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        self._sign(request)
        yield request

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        self._sign(request)
        yield request

    def _sign(self, request: httpx2.Request) -> None:
        caller = caller_of(request)
        if caller.token is None:
            raise AuthRequired("the caller showed the gateway no token that could be sent on: log in at the gateway")
        if not self._is_meant(caller, caller.token):
            raise UpstreamError(_not_meant(self._audience))
        request.headers["Authorization"] = f"Bearer {caller.token.reveal()}"

    def _is_meant(self, caller: Caller, token: Secret) -> bool:
        if self._audience and self._audience not in audiences(token):
            return False
        return self._meant is None or self._meant(caller) is True

    def __repr__(self) -> str:
        return f"TokenForward(audience={self._audience!r})"


def audiences(token: Secret) -> frozenset[str]:
    """The audience of a JWT, without a look at its signature; none for what is no JWT."""
    parts = token.reveal().split(".")
    if len(parts) != 3:
        return frozenset()
    try:
        payload: Json = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return frozenset()
    named: object = cast("dict[str, Json]", payload).get("aud") if isinstance(payload, dict) else None
    stated: object = [named] if isinstance(named, str) else named
    several = cast("list[object]", stated) if isinstance(stated, list) else []
    return frozenset(each for each in several if isinstance(each, str))


def _not_meant(audience: str | None) -> Failure:
    whom = f"{audience!r}" if audience else "this upstream"
    return Failure(
        code="token_not_meant",
        message=f"the caller's token is not meant for {whom}, and is not sent there",
        hint="Ask for a token with that audience, or use token_exchange.",
    )
