"""Auth by OAuth 2.0, as records: logins, client credentials, and the caller's own token sent on or exchanged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self, TypeAlias

import httpx2
from pydantic import BeforeValidator, Field, model_validator

from mcpbridge.auth.oauth.credentials import ClientCredentials
from mcpbridge.auth.oauth.discovery import Named
from mcpbridge.auth.oauth.exchange import TokenExchange
from mcpbridge.auth.oauth.forms import ACCESS_TOKEN, checked_extra
from mcpbridge.auth.oauth.forward import TokenForward
from mcpbridge.auth.oauth.values import AuthorizationServer, Method, OAuthClient, words
from mcpbridge.errors import ConfigError
from mcpbridge.integrations.auth import AuthRecord, Use, register_auth, revealed
from mcpbridge.integrations.credential import Credential, KeyCredential
from mcpbridge.integrations.text import Url, Word
from mcpbridge.secret import Secret


def _scopes(value: object) -> object:
    return value.split() if isinstance(value, str) else value


Scopes: TypeAlias = Annotated[
    tuple[Word, ...], BeforeValidator(_scopes, json_schema_input_type=str | tuple[Word, ...]), Field(max_length=1000)
]
"""Scopes: a text with blanks between them, or a list."""

Extra: TypeAlias = dict[Word, Annotated[str, Field(max_length=2000)]]


class _ClientAuth(AuthRecord, frozen=True):
    """A kind that names a client. `method` is how it authenticates; left out, the first that the server takes."""

    client_id: Word | None = None
    client_secret: Credential | None = None
    private_key: KeyCredential | None = None
    key_id: Word | None = None
    method: Method | None = None
    scopes: Scopes = ()
    resource: Url | None = None
    extra: Extra = Field(default_factory=dict, max_length=50)

    @model_validator(mode="after")
    def _with_client(self) -> Self:
        for name in ("client_secret", "private_key", "key_id", "method"):
            if getattr(self, name) is not None and self.client_id is None:
                raise ValueError(f"'auth.{name}' is given without 'auth.client_id': name the client that it is of")
        return self

    def client(self) -> OAuthClient | None:
        """The client, where the record names one. Raises: ValueError where its secret is in the vault still."""
        if self.client_id is None:
            return None
        return OAuthClient(
            id=self.client_id,
            secret=_opened(self.client_secret),
            key=_opened(self.private_key),
            key_id=self.key_id,
            method=self.method,
        )

    def known_client(self) -> OAuthClient:
        """The client, for a kind that can't do without. Raises: ConfigError."""
        if (client := self.client()) is None:
            raise ConfigError(f"'auth.client_id' is missing, which auth of type {self.type!r} needs")
        return client


class OAuth2Auth(_ClientAuth, frozen=True):
    """Each user's own login, or one for all of a tenant (`shared`).

    Without `issuer` and endpoints, the upstream's metadata says where to log in. `issuer` says it in its place; the
    endpoints do so without any metadata.
    """

    type: Literal["oauth2"]
    issuer: Url | None = None
    authorization_endpoint: Url | None = None
    token_endpoint: Url | None = None
    revocation_endpoint: Url | None = None
    shared: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.authorization_endpoint is None) != (self.token_endpoint is None):
            raise ValueError("'auth.authorization_endpoint' and 'auth.token_endpoint' belong together: give both")
        if self.client_id is not None and self.issuer is None and self.token_endpoint is None:
            raise ValueError("'auth.client_id' is given without 'auth.issuer': say where the client is registered")
        return self

    def strategy(self) -> httpx2.Auth:
        """Checks what is there. Raises: ConfigError; ValueError, since a login is of an integration: see `used`."""
        words(self.scopes)
        checked_extra(self.extra)
        if self.issuer is not None or self.token_endpoint is not None:
            self._named(None)
        self.client()
        raise ValueError("a login is of an integration: ask for `used(Use(…))`")

    def used(self, use: Use) -> httpx2.Auth:
        from mcpbridge.auth.oauth.code import AuthorizationCode  # noqa: PLC0415 - an optional extra: SQLAlchemy

        if use.logins is None:
            raise ConfigError(f"{use.integration!r} needs logins, and the host keeps none: give it an OAuthHost")
        named = self._named(use.url)
        return AuthorizationCode(
            use.logins.guarded(use.guard),
            use.integration,
            resource=named.resource,
            issuer=named.issuer,
            server=named.server,
            client=self.client(),
            scopes=self.scopes,
            shared=self.shared,
            extra=self.extra,
        )

    def _named(self, url: str | None) -> Named:
        """Where to log in; the upstream is asked for it, and named to the server, where nothing else says so."""
        if self.token_endpoint is not None:
            server = AuthorizationServer(
                issuer=self.issuer or "",
                authorization_endpoint=self.authorization_endpoint,
                token_endpoint=self.token_endpoint,
                revocation_endpoint=self.revocation_endpoint,
            )
            return Named(resource=self.resource, server=server)
        return Named(resource=self.resource or (None if self.issuer else url), issuer=self.issuer)


class ClientCredentialsAuth(_ClientAuth, frozen=True):
    """One token for the gateway itself."""

    type: Literal["client_credentials"]
    issuer: Url | None = None
    token_endpoint: Url | None = None
    audience: Word | None = None

    def strategy(self) -> httpx2.Auth:
        return self._strategy(None)

    def used(self, use: Use) -> httpx2.Auth:
        return self._strategy(use)

    def _strategy(self, use: Use | None) -> httpx2.Auth:
        return ClientCredentials(
            self.known_client(),
            issuer=self.issuer,
            token_endpoint=self.token_endpoint,
            scopes=self.scopes,
            audience=self.audience,
            resource=self.resource,
            extra=self.extra,
            guard=None if use is None else use.guard,
            transport=None if use is None or use.logins is None else use.logins.transport,
            listener=None if use is None or use.logins is None else use.logins.listener,
        )


class TokenExchangeAuth(_ClientAuth, frozen=True):
    """A token for the upstream in exchange for the caller's own (RFC 8693), at the server that issued that one."""

    type: Literal["token_exchange"]
    token_endpoint: Url
    audience: Word | None = None
    subject_token_type: Word = ACCESS_TOKEN
    requested_token_type: Word | None = None
    issuer: Url | None = None

    @model_validator(mode="after")
    def _without_issuer(self) -> Self:
        _no_issuer(self.issuer, self.type)
        return self

    def strategy(self) -> httpx2.Auth:
        return self._strategy(None)

    def used(self, use: Use) -> httpx2.Auth:
        return self._strategy(use)

    def _strategy(self, use: Use | None) -> httpx2.Auth:
        return TokenExchange(
            self.known_client(),
            token_endpoint=self.token_endpoint,
            scopes=self.scopes,
            audience=self.audience,
            resource=self.resource,
            subject_token_type=self.subject_token_type,
            requested_token_type=self.requested_token_type,
            extra=self.extra,
            guard=None if use is None else use.guard,
            transport=None if use is None or use.logins is None else use.logins.transport,
        )


class TokenForwardAuth(AuthRecord, frozen=True):
    """The token that the caller showed the gateway, where it is meant for this upstream: its `aud` holds `audience`."""

    type: Literal["token_forward"]
    audience: Word
    issuer: Url | None = None

    @model_validator(mode="after")
    def _without_issuer(self) -> Self:
        _no_issuer(self.issuer, self.type)
        return self

    def strategy(self) -> httpx2.Auth:
        return TokenForward(audience=self.audience)


def _no_issuer(issuer: str | None, kind: str) -> None:
    """An issuer says where users log in; here the caller's own token says who they are. Raises: ValueError."""
    if issuer is not None:
        raise ValueError(
            f"'auth.issuer' is given while 'auth.type' is {kind!r}: take it out, or make the type 'oauth2'"
        )


def _opened(value: Secret | object | None) -> Secret | None:
    return None if value is None else revealed(value)  # type: ignore[arg-type] # a Credential


KINDS: Sequence[type[AuthRecord]] = (OAuth2Auth, ClientCredentialsAuth, TokenExchangeAuth, TokenForwardAuth)


def register_oauth() -> None:
    """Adds these kinds, so that records may name them."""
    for kind in KINDS:
        register_auth(kind)
