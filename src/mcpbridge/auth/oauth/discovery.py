"""`Discovery`: which authorization server a resource belongs to, and its endpoints."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mcpbridge.auth.challenge import read_challenges
from mcpbridge.auth.oauth.answer import TokenRefused
from mcpbridge.auth.oauth.channel import Channel, Said
from mcpbridge.auth.oauth.checks import Unsound, checked_issuer, checked_url, is_loopback
from mcpbridge.auth.oauth.endpoint import place
from mcpbridge.auth.oauth.errors import refused, unusable
from mcpbridge.auth.oauth.events import Listener, OAuthEvent, tell
from mcpbridge.auth.oauth.metadata import origin_of, read_resource, read_server, resource_places, server_places
from mcpbridge.auth.oauth.values import AuthorizationServer
from mcpbridge.errors import ConfigError

KEPT: Final = 3600.0
"""Seconds that what was found is kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A server, the resource that tokens are for (RFC 8707), and the scopes that the resource tells of."""

    server: AuthorizationServer
    resource: str | None = None
    scopes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """What the host says: the upstream's URL, or who issues its tokens.

    resource   the upstream; its metadata is looked for (RFC 9728), and tokens are asked for it (RFC 8707)
    issuer     skips that: the server's own metadata is read (RFC 8414, OpenID Connect)
    server     skips both: the endpoints themselves

    Raises: ConfigError for URLs that can't be used, for none of the three, and for an issuer beside a server.
    """

    resource: str | None = None
    issuer: str | None = None
    server: AuthorizationServer | None = None

    def __post_init__(self) -> None:
        if self.issuer is not None and self.server is not None:
            raise ConfigError(
                "issuer=… and server=… are given: keep the issuer, or the endpoints with an issuer of theirs"
            )
        if not self.urls():
            raise ConfigError("give resource=…, the URL of the upstream, or issuer=…, or server=… with the endpoints")
        try:
            for name, url in (("issuer", self.issuer), ("resource", self.resource)):
                if url is not None:
                    checked_issuer(
                        name, url.partition("?")[0] if name == "resource" else url, loopback=is_loopback(url)
                    )
            for name in ("token_endpoint", "authorization_endpoint", "registration_endpoint", "revocation_endpoint"):
                if self.server is not None and (url := getattr(self.server, name)) is not None:
                    checked_url(name, url, loopback=is_loopback(url))
        except Unsound as error:
            raise ConfigError(f"{error}: write it as https://host/path (http is for loopback addresses only)") from None

    def urls(self) -> Sequence[str]:
        """Every URL that the host named."""
        server = self.server
        own = () if server is None else (server.token_endpoint, server.authorization_endpoint or server.token_endpoint)
        return [url for url in (self.resource, self.issuer, *own) if url]

    @property
    def binds(self) -> bool:
        """Whether the host said itself who issues tokens, so that a client of its own is surely registered there."""
        return self.issuer is not None or self.server is not None


class Discovery:
    """Finds the server of a resource, and keeps what it found for an hour."""

    def __init__(
        self,
        named: Named,
        channel: Channel,
        *,
        integration: str = "",
        listener: Listener | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.named = named
        self._channel = channel
        self._integration = integration
        self._listener = listener
        self._clock = clock
        self._lock = asyncio.Lock()
        self._found: tuple[Found, float] | None = None

    async def find(self) -> Found:
        """What was found. Raises: UpstreamError, whose hint names the setting to look at."""
        if (kept := self._kept()) is not None:
            return kept
        async with self._lock:  # a search is shared by all who wait for it, and no call waits here with a token
            return self._kept() or await self._anew()

    async def find_anew(self) -> Found:
        """What is there now: an upstream may have moved to another server. Raises: as `find` does."""
        async with self._lock:
            return await self._anew()

    async def _anew(self) -> Found:
        found = await self._search()
        self._found = (found, self._clock() + KEPT)
        return found

    def _kept(self) -> Found | None:
        return self._found[0] if self._found is not None and self._clock() < self._found[1] else None

    async def _search(self) -> Found:
        named = self.named
        if named.server is not None:
            return Found(server=named.server, resource=named.resource)
        if named.issuer is not None:
            event = OAuthEvent(kind="issuer_override", integration=self._integration, server=named.issuer)
            await tell(self._listener, event)
            return Found(server=await self._server(named.issuer), resource=named.resource)
        return await self._of_resource(named.resource or "")

    async def _of_resource(self, resource: str) -> Found:
        """RFC 9728 section 3; where nothing is published, the resource's origin is the issuer (MCP 2025-03-26)."""
        said = await self._first(resource_places(resource), resource)
        if said is None and (place_told := await self._told(resource)) is not None:
            said = await self._first([place_told], resource)
        if said is None:
            return Found(server=await self._server(origin_of(resource)), resource=resource)
        try:
            stated = read_resource(said.content, resource, loopback=self._channel.loopback)
        except Unsound as error:
            raise unusable(place(resource), str(error), "Check the upstream's URL, or give issuer.") from None
        server = await self._server(stated.issuers[0])
        return Found(server=server, resource=stated.resource, scopes=stated.scopes)

    async def _told(self, resource: str) -> str | None:
        """Where the resource itself says that its metadata is, by its challenge (RFC 9728 section 5.1)."""
        said = await self._channel.get(resource)
        for challenge in read_challenges(said.headers.get("www-authenticate", "")):
            if (told := challenge.parameters.get("resource_metadata")) is not None:
                try:
                    return checked_url("resource_metadata", told, loopback=self._channel.loopback)
                except Unsound as error:
                    raise unusable(place(resource), str(error), "Check the upstream's URL, or give issuer.") from None
        return None

    async def _server(self, issuer: str) -> AuthorizationServer:
        said = await self._first(server_places(issuer), issuer)
        if said is None:
            raise unusable(place(issuer), "it publishes no metadata (404)", "Check issuer, or give the endpoints.")
        try:
            return read_server(said.content, issuer, loopback=self._channel.loopback)
        except Unsound as error:
            raise unusable(place(issuer), str(error), "Check issuer, or give the endpoints.") from None

    async def _first(self, places: Sequence[str], whose: str) -> Said | None:
        """The first metadata that is there; None where each place says that there is none.

        Raises: UpstreamError where one can't say: to go on elsewhere then would let a fault choose the server.
        """
        for url in places:
            said = await self._channel.get(url)
            if said.status == 200:
                return said
            if said.status >= 500 or said.status == 429 or said.status < 400:
                raise refused(place(whose), TokenRefused("", said.status))
        return None


def checked_flow(server: AuthorizationServer) -> AuthorizationServer:
    """A server that people can log in at, with PKCE (RFC 7636; OAuth 2.1 section 7.5.1). Raises: UpstreamError."""
    where = place(server.token_endpoint)
    if server.authorization_endpoint is None:
        raise unusable(where, "it has no authorization_endpoint", "Check issuer, or use client credentials.")
    if not server.s256:
        raise unusable(
            where, "it does not offer PKCE with S256", "Ask its operator; or give its endpoints if it has it."
        )
    return server
