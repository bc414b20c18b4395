"""`AuthorizationCode`: each user's own token, or one that all of a tenant share, from a login in a browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mcpbridge.auth.oauth.answer import TokenRefused
from mcpbridge.auth.oauth.channel import Channel
from mcpbridge.auth.oauth.discovery import Discovery, Found, Named
from mcpbridge.auth.oauth.endpoint import ask_tokens, place, revoke
from mcpbridge.auth.oauth.errors import login_required, refused, unusable
from mcpbridge.auth.oauth.events import EventKind, OAuthEvent, tell
from mcpbridge.auth.oauth.forms import checked_extra, refresh_form
from mcpbridge.auth.oauth.kept import Held, TokenStore
from mcpbridge.auth.oauth.keys import Key, key_of
from mcpbridge.auth.oauth.login import Begun, Browser, Completed, Logins
from mcpbridge.auth.oauth.logins import LoginStore
from mcpbridge.auth.oauth.refresh import GrantLost, Refresher
from mcpbridge.auth.oauth.setting import OAuthHost
from mcpbridge.auth.oauth.strategy import TokenAuth
from mcpbridge.auth.oauth.values import AuthorizationServer, Grant, OAuthClient, words
from mcpbridge.errors import BridgeError, ConfigError
from mcpbridge.secret import Secret
from mcpbridge.tools import Caller


class AuthorizationCode(TokenAuth[Held]):
    """OAuth 2.1's authorization code with PKCE (S256), for the integration of this name or id.

    resource     the upstream's URL: its metadata says who issues its tokens (RFC 9728), and tokens are asked for it
    issuer       who issues them, said by the host: nothing is probed, and each use is told to the host's listener
    server       the endpoints themselves, said by the host
    client       a client that is registered at that issuer or server; without one the gateway shows its metadata
                 document, or registers itself (RFC 7591)
    scopes       what is asked for; empty: what the resource's metadata names
    shared       one login for all of a tenant, instead of each user's own
    extra        more parameters of the authorization request, such as `{"prompt": "consent"}`

    A call without a login raises `AuthRequired`; `begin` says where a browser is to go, and `complete` takes what it
    brings back, on any replica. Tokens are refreshed once over all replicas, and a 401 refreshes once.

    Raises: ConfigError for contradictions, and for a client without the issuer that it is registered at.
    """

    def __init__(
        self,
        host: OAuthHost,
        integration: str,
        *,
        resource: str | None = None,
        issuer: str | None = None,
        server: AuthorizationServer | None = None,
        client: OAuthClient | None = None,
        scopes: str | Sequence[str] = (),
        shared: bool = False,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        named = Named(resource=resource, issuer=issuer, server=server)
        if client is not None and not named.binds:
            raise ConfigError(
                "client=… is given without issuer=… or server=…: say where it is registered; it is shown nowhere else"
            )
        self.host = host
        self.integration = integration
        self.shared = shared
        self.tokens = TokenStore(host.store, host.vault)
        self._client = client
        self._channel = Channel(named=named.urls(), guard=host.guard, transport=host.transport)
        self._discovery = Discovery(named, self._channel, integration=integration, listener=host.listener)
        self._logins = Logins(
            host,
            integration,
            LoginStore(host.store, host.vault),
            self._channel,
            self._discovery,
            client=client,
            scopes=words(scopes),
            extra=checked_extra(extra),
        )
        self._refresher = Refresher(
            self.tokens,
            self._renew,
            renewed=self._renewed,
            ended=self._ended,
            unwanted=self._revoke,
            pace=host.pace,
        )

    def ready(self, caller: Caller) -> Held | None:
        return self._refresher.ready(key_of(caller, self.integration, shared=self.shared))

    async def token(self, caller: Caller) -> Held:
        return await self._refresher.good(key_of(caller, self.integration, shared=self.shared))

    async def another(self, caller: Caller, used: Held) -> Held:
        return await self._refresher.good(used.key, refused=used.version)

    async def refused(self, caller: Caller, used: Held) -> None:
        raise await self._refresher.give_up(used)

    async def short_of(self, caller: Caller, used: Held, scopes: str) -> None:
        wanted = [*dict.fromkeys([*used.grant.scope.split(), *scopes.split()])]
        raise login_required(self.integration, scopes=wanted)

    def access(self, used: Held) -> Secret:
        return used.grant.access

    async def begin(
        self,
        caller: Caller,
        *,
        scopes: str | Sequence[str] = (),
        return_to: str | None = None,
        browser: Secret | None = None,
    ) -> Begun:
        """A login for this caller: where its browser goes, and the cookie that it must bring back.

        `scopes` are asked for beside those of the integration; an `AuthRequired` says which. `return_to` is a path of
        our own origin to end at; None: a page that says that the login is done. `browser` is the value of the cookie
        where this browser has one already. Whoever gives the URL to a browser must know that it is this caller's.

        Raises: ConfigError for another `return_to`; AuthRequired for a caller without a user; UpstreamError.
        """
        key = key_of(caller, self.integration, shared=self.shared)
        return await self._logins.begin(key, scopes=words(scopes), return_to=return_to, browser=browser)

    async def complete(
        self, query: str | Mapping[str, str], cookies: Mapping[str, str], *, caller: Caller | None = None
    ) -> Completed:
        """Finishes a login with what the browser brought: the callback's query, and its cookies.

        `caller` is whose browser it is, where the host knows: a login of another user or tenant is refused.

        Raises: LoginRefused, whose `status` is for the browser; UpstreamError where the server can't be asked, and the
        login has to be begun again.
        """
        expected = None if caller is None else key_of(caller, self.integration, shared=self.shared)
        key, grant, return_to = await self._logins.complete(Browser.of(query, cookies), expected)
        self._refresher.keep(await self.tokens.put(key, grant))
        await self._tell("login_completed", key, grant.server)
        return Completed(key=key, return_to=return_to)

    async def logged_in(self, caller: Caller) -> bool:
        """Whether the caller has a login that was not ended. Raises: StoreError."""
        held = await self.tokens.read(key_of(caller, self.integration, shared=self.shared))
        return held is not None and held.state == "ready"

    async def disconnect(self, caller: Caller) -> bool:
        """Forgets the caller's login, and then ends its tokens at the server (RFC 7009).

        Gives whether the server said that they are ended. Raises: StoreError.
        """
        key = key_of(caller, self.integration, shared=self.shared)
        held = await self.tokens.forget(key)
        self._refresher.drop(key)
        if held is None:
            return False
        await self._tell("disconnected", key, held.grant.server)
        return await self._revoked(held)

    async def _renew(self, held: Held) -> Grant:
        grant = held.grant
        found = await self._found(grant)
        if grant.refresh is None:
            raise GrantLost("there is no refresh token")
        client = self._client_of(grant)
        try:
            form = refresh_form(grant.refresh, found.resource)
            granted = await ask_tokens(self._channel, found.server, client, form)
        except TokenRefused as refusal:
            if refusal.error == "invalid_grant" or (refusal.error == "invalid_client" and client is grant.client):
                await self._logins.client_refused(held.key, grant, refusal)
                raise GrantLost(f"the authorization server answered {refusal.error}") from None
            raise refused(place(found.server.token_endpoint), refusal) from None
        except ConfigError as error:
            raise unusable(place(found.server.token_endpoint), str(error)) from None
        return replace(
            grant,
            access=granted.access,
            refresh=granted.refresh or grant.refresh,
            lifetime=granted.lifetime,
            scope=granted.scope or grant.scope,
        )

    async def _found(self, grant: Grant) -> Found:
        """The server that the grant is of: its tokens are shown to no other. Raises: GrantLost, UpstreamError."""
        found = await self._discovery.find()
        if found.server.id != grant.server:
            raise GrantLost("the upstream has another authorization server now")
        return found

    def _client_of(self, grant: Grant) -> OAuthClient:
        """The client that the grant is of: the host's own with the secret that it has now."""
        own = self._client
        return own if own is not None and own.id == grant.client.id else grant.client

    async def _revoked(self, held: Held) -> bool:
        grant = held.grant
        try:
            server = (await self._found(grant)).server
            if grant.refresh is not None:
                await revoke(self._channel, server, self._client_of(grant), grant.refresh, "refresh_token")
            return await revoke(self._channel, server, self._client_of(grant), grant.access, "access_token")
        except (GrantLost, BridgeError):
            return False

    async def _revoke(self, held: Held) -> None:
        await self._revoked(held)

    async def _renewed(self, held: Held) -> None:
        await self._tell("refreshed", held.key, held.grant.server)

    async def _ended(self, held: Held, why: str) -> None:
        await self._tell("reconnect_required", held.key, held.grant.server, why)

    async def _tell(self, kind: EventKind, key: Key, server: str, detail: str = "") -> None:
        event = OAuthEvent(
            kind=kind, integration=key.integration, tenant=key.tenant, user=key.user, server=server, detail=detail
        )
        await tell(self.host.listener, event)
