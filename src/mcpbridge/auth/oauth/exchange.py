"""`TokenExchange`: a token for the upstream in exchange for the caller's own (RFC 8693)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import httpx2

from mcpbridge.auth.oauth.answer import TokenRefused
from mcpbridge.auth.oauth.channel import Channel
from mcpbridge.auth.oauth.discovery import Named
from mcpbridge.auth.oauth.endpoint import ask_tokens, place
from mcpbridge.auth.oauth.errors import refused, unusable
from mcpbridge.auth.oauth.forms import ACCESS_TOKEN, EXCHANGE, checked_extra, scoped
from mcpbridge.auth.oauth.issued import Issue, Issued
from mcpbridge.auth.oauth.keys import fingerprint
from mcpbridge.auth.oauth.strategy import TokenAuth
from mcpbridge.auth.oauth.values import AuthorizationServer, Granted, OAuthClient, words
from mcpbridge.errors import AuthRequired, ConfigError
from mcpbridge.net.guard import Guard
from mcpbridge.secret import Secret
from mcpbridge.tools import Caller

Subject = tuple[str, str, str]
"""Tenant, user, and the digest of the very token that was exchanged."""


class TokenExchange(TokenAuth[Issue[Subject]]):
    """Each caller's own token for the upstream. The server must know the tokens that callers show the gateway.

    It is kept in memory under the caller's tenant, user and the very token that was exchanged, so that nobody is ever
    served another's. `subject_token_type` is what callers bring; `requested_token_type` is asked for where it is given.

    Raises: ConfigError for a client or parameters that can't be.
    """

    def __init__(
        self,
        client: OAuthClient,
        *,
        token_endpoint: str,
        scopes: str | Sequence[str] = (),
        audience: str | None = None,
        resource: str | None = None,
        subject_token_type: str = ACCESS_TOKEN,
        requested_token_type: str | None = None,
        extra: Mapping[str, str] | None = None,
        guard: Guard | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._server = AuthorizationServer(token_endpoint=token_endpoint)
        named = Named(server=self._server)
        self._client = client
        self._channel = Channel(named=named.urls(), guard=guard, transport=transport)
        self._form = {
            "grant_type": EXCHANGE,
            "subject_token_type": subject_token_type,
            **({"requested_token_type": requested_token_type} if requested_token_type else {}),
            **scoped(words(scopes), resource, audience),
            **checked_extra(extra),
        }
        self._issued: Issued[Subject] = Issued()

    def ready(self, caller: Caller) -> Issue[Subject] | None:
        return None if caller.token is None else self._issued.ready(_subject(caller, caller.token))

    async def token(self, caller: Caller) -> Issue[Subject]:
        return await self._good(caller)

    async def another(self, caller: Caller, used: Issue[Subject]) -> Issue[Subject]:
        return await self._good(caller, refused=used.number)

    def access(self, used: Issue[Subject]) -> Secret:
        return used.access

    async def _good(self, caller: Caller, *, refused: int | None = None) -> Issue[Subject]:
        token = caller.token
        if token is None:
            raise AuthRequired("the caller showed the gateway no token that could be exchanged: log in at the gateway")
        return await self._issued.good(_subject(caller, token), lambda: self._ask(token), refused=refused)

    async def _ask(self, token: Secret) -> Granted:
        where = place(self._server.token_endpoint)
        form = {**self._form, "subject_token": token.reveal()}
        try:
            return await ask_tokens(self._channel, self._server, self._client, form)
        except TokenRefused as refusal:
            if refusal.error == "invalid_grant":
                raise AuthRequired("the caller's token is not taken in exchange: log in at the gateway anew") from None
            raise refused(where, refusal) from None
        except ConfigError as error:
            raise unusable(where, str(error)) from None

    def __repr__(self) -> str:
        return f"TokenExchange({self._client.id!r})"


def _subject(caller: Caller, token: Secret) -> Subject:
    return (caller.tenant, caller.user or "", fingerprint(token.reveal()))
