"""What all strategies with access tokens do: sign a request, and once more where the upstream refuses the token."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Generic, TypeVar

import httpx2

from mcpbridge.auth.challenge import read_challenges
from mcpbridge.auth.oauth.keys import caller_of
from mcpbridge.auth.static import Place
from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret
from mcpbridge.tools import Caller

Used = TypeVar("Used")


class TokenAuth(httpx2.Auth, Generic[Used]):
    """Signs with `Authorization: Bearer …` (RFC 6750 section 2.1). A token that is refused is replaced once.

    Subclasses say where a caller's token comes from. The request's own headers are never looked at: whatever the
    caller showed the gateway does not go on.
    """

    requires_request_body = True  # it may be sent twice

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        caller = caller_of(request)
        used = self.ready(caller)
        if used is None:
            used = await self.token(caller)
        request.headers["Authorization"] = f"Bearer {self.access(used).reveal()}"
        response = yield request
        if response.status_code == 401:
            used = await self.another(caller, used)
            request.headers["Authorization"] = f"Bearer {self.access(used).reveal()}"
            response = yield request
            if response.status_code == 401:
                await self.refused(caller, used)
        if response.status_code == 403 and (scopes := wanted_scopes(response)):
            await self.short_of(caller, used, scopes)

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        raise ConfigError(f"{type(self).__name__} asks for tokens on the way: use it in an httpx2.AsyncClient")

    def writes(self) -> frozenset[tuple[Place, str]]:
        return frozenset({("header", "authorization")})

    def ready(self, caller: Caller) -> Used | None:
        """The caller's token, where it is here and good."""
        raise NotImplementedError

    async def token(self, caller: Caller) -> Used:
        """The caller's token. Raises: AuthRequired, UpstreamError."""
        raise NotImplementedError

    async def another(self, caller: Caller, used: Used) -> Used:
        """A token in the place of one that was refused. Raises: AuthRequired, UpstreamError."""
        raise NotImplementedError

    async def refused(self, caller: Caller, used: Used) -> None:
        """The upstream refused the new one too. Nothing, where its answer is to be the result; may raise."""

    async def short_of(self, caller: Caller, used: Used, scopes: str) -> None:
        """The upstream wants more scopes (RFC 6750 section 3.1). Nothing, or raises."""

    def access(self, used: Used) -> Secret:
        """The token itself."""
        raise NotImplementedError


def wanted_scopes(response: httpx2.Response) -> str:
    """The scopes that a refusal asks for, or the empty text."""
    for challenge in read_challenges(response.headers.get("www-authenticate", "")):
        if challenge.scheme == "bearer" and challenge.parameters.get("error") == "insufficient_scope":
            return challenge.parameters.get("scope", "")
    return ""
