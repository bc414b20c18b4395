"""The values of OAuth: an authorization server, a client of it, and what it granted. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret

Method: TypeAlias = Literal["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]
"""How a client authenticates at the token endpoint (OpenID Connect Core section 9)."""

METHODS: Final[tuple[Method, ...]] = get_args(Method)

LEEWAY: Final = 30.0
"""Seconds before its end that a token is refreshed; never more than a quarter of its lifetime."""


def method_named(name: object) -> Method | None:
    """The method of this name; None where it is none that is known."""
    return next((method for method in METHODS if method == name), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorizationServer:
    """An authorization server, as its metadata (RFC 8414 section 2) or the host describes it.

    `issuer` is empty where the host names endpoints alone. `methods` are those of the token endpoint. `s256` says
    whether it takes PKCE with S256, `says_issuer` whether its answers to a browser name it (RFC 9207), and
    `reads_client_documents` whether a client's id may be the URL of its metadata.
    """

    token_endpoint: str
    issuer: str = ""
    authorization_endpoint: str | None = None
    registration_endpoint: str | None = None
    revocation_endpoint: str | None = None
    methods: Sequence[str] = ("client_secret_basic", "client_secret_post")
    s256: bool = True
    says_issuer: bool = False
    reads_client_documents: bool = False

    @property
    def id(self) -> str:
        """What clients and tokens are bound to: the issuer, or the token endpoint where there is none."""
        return self.issuer or self.token_endpoint


@dataclass(frozen=True, kw_only=True, slots=True)
class OAuthClient:
    """A client that is registered at an authorization server.

    secret      for the methods with `client_secret`
    key         a private key as PEM, for `private_key_jwt`; `key_id` names it, `algorithm` is how it signs. A `Secret`
                holds it with blanks in place of its line ends
    method      None: the first that the server takes of basic, post and none
    audience    of signed assertions; None: the issuer, or the token endpoint where it is not known

    Raises: ConfigError for a method that lacks its credential.
    """

    id: str
    secret: Secret | None = None
    key: str | Secret | None = field(default=None, repr=False)
    key_id: str | None = None
    algorithm: str | None = None
    method: Method | None = None
    audience: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.key, str):
            object.__setattr__(self, "key", Secret(" ".join(self.key.split())))
        if not self.id or not self.id.isprintable():
            raise ConfigError(
                "OAuthClient(id=…) must be printable text, not empty: give the client_id of the registration"
            )
        if self.method is not None and self.method not in METHODS:
            raise ConfigError(f"OAuthClient(method={self.method!r}) must be one of {', '.join(METHODS)}")
        if self.method == "private_key_jwt" and self.key is None:
            raise ConfigError("OAuthClient(method='private_key_jwt') needs key=…, a private key as PEM")
        if self.method is not None and self.method.startswith("client_secret") and not self.secret:
            raise ConfigError(f"OAuthClient(method={self.method!r}) needs secret=…")


@dataclass(frozen=True, kw_only=True, slots=True)
class Granted:
    """What a token endpoint answered. `lifetime` is in seconds; None where it does not say."""

    access: Secret
    refresh: Secret | None = None
    lifetime: float | None = None
    scope: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """What was granted, and what it is bound to: the server's `id`, and the client that it was granted to.

    `client` holds a secret only where the server gave it by dynamic registration; the host's own is not kept twice.
    """

    access: Secret
    server: str
    client: OAuthClient
    refresh: Secret | None = None
    lifetime: float | None = None
    scope: str = ""


def words(scopes: str | Sequence[str]) -> tuple[str, ...]:
    """Scopes in their order, each once (RFC 6749 section 3.3). Raises: ConfigError for what is no scope."""
    found = scopes.split() if isinstance(scopes, str) else [*scopes]
    for scope in found:
        if not scope or not all("!" <= character <= "~" and character not in '"\\' for character in scope):
            raise ConfigError(f"{scope!r} is no scope: write printable ASCII without blanks, quotes or backslashes")
    return tuple(dict.fromkeys(found))


def leeway(lifetime: float | None) -> float:
    """Seconds before its end that a token of this lifetime is refreshed."""
    return 0.0 if lifetime is None else min(LEEWAY, lifetime / 4)
