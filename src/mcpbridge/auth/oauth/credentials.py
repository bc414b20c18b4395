"""`ClientCredentials`: a token for the gateway itself (RFC 6749 section 4.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import httpx2

from mcpbridge.auth.oauth.answer import TokenRefused
from mcpbridge.auth.oauth.channel import Channel
from mcpbridge.auth.oauth.discovery import Discovery, Named
from mcpbridge.auth.oauth.endpoint import ask_tokens, place
from mcpbridge.auth.oauth.errors import refused, unusable
from mcpbridge.auth.oauth.events import Listener
from mcpbridge.auth.oauth.forms import checked_extra, scoped
from mcpbridge.auth.oauth.issued import Issue, Issued
from mcpbridge.auth.oauth.strategy import TokenAuth
from mcpbridge.auth.oauth.values import AuthorizationServer, Granted, OAuthClient, words
from mcpbridge.errors import ConfigError
from mcpbridge.net.guard import Guard
from mcpbridge.secret import Secret
from mcpbridge.tools import Caller


class ClientCredentials(TokenAuth[Issue[str]]):
    """One token for all callers, of a client that authenticates itself. It is kept in memory, and asked for once.

    client          how it authenticates: a secret (basic, post, or signed with it), or a private key
    token_endpoint, issuer   where tokens are had: one of the two; an issuer's metadata is read
    scopes, audience, resource   what the token is to be good for (RFC 8707 for the resource)
    extra           more parameters of the token request
    guard           for an address that somebody else named

    Raises: ConfigError for contradictions, and a client without a credential.
    """

    def __init__(
        self,
        client: OAuthClient,
        *,
        token_endpoint: str | None = None,
        issuer: str | None = None,
        scopes: str | Sequence[str] = (),
        audience: str | None = None,
        resource: str | None = None,
        extra: Mapping[str, str] | None = None,
        guard: Guard | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        listener: Listener | None = None,
    ) -> None:
        if (token_endpoint is None) == (issuer is None):
            raise ConfigError("ClientCredentials needs token_endpoint=… or issuer=…, one of the two")
        if not client.secret and client.key is None:
            raise ConfigError("ClientCredentials needs a client with secret=… or key=…: a public one can't have tokens")
        server = AuthorizationServer(token_endpoint=token_endpoint) if token_endpoint else None
        named = Named(issuer=issuer, server=server)
        self._client = client
        self._channel = Channel(named=named.urls(), guard=guard, transport=transport)
        self._discovery = Discovery(named, self._channel, listener=listener)
        self._form = {
            "grant_type": "client_credentials",
            **scoped(words(scopes), resource, audience),
            **checked_extra(extra),
        }
        self._issued: Issued[str] = Issued()

    def ready(self, caller: Caller) -> Issue[str] | None:
        return self._issued.ready("")

    async def token(self, caller: Caller) -> Issue[str]:
        return await self._issued.good("", self._ask)

    async def another(self, caller: Caller, used: Issue[str]) -> Issue[str]:
        return await self._issued.good("", self._ask, refused=used.number)

    def access(self, used: Issue[str]) -> Secret:
        return used.access

    async def _ask(self) -> Granted:
        server = (await self._discovery.find()).server
        try:
            return await ask_tokens(self._channel, server, self._client, self._form)
        except TokenRefused as refusal:
            raise refused(place(server.token_endpoint), refusal) from None
        except ConfigError as error:
            raise unusable(place(server.token_endpoint), str(error)) from None

    def __repr__(self) -> str:
        return f"ClientCredentials({self._client.id!r})"
