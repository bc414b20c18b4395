"""`OAuthHost`: what all logins of a host have in common."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import httpx2

from mcpbridge.auth.oauth.checks import Unsound, checked_url, is_loopback
from mcpbridge.auth.oauth.events import Listener
from mcpbridge.auth.oauth.refresh import Pace
from mcpbridge.errors import ConfigError
from mcpbridge.net.guard import Guard
from mcpbridge.store.store import Store
from mcpbridge.vault.vault import Vault


@dataclass(frozen=True, kw_only=True, slots=True)
class OAuthHost:
    """Where logins are kept and where browsers come back to; one for all integrations of a host.

    store, vault   where grants, logins under way and registered clients are kept, for all replicas
    redirect_uri   the callback's public URL, such as `https://gateway.example/oauth/callback`; http on loopback only
    client_name    how the gateway calls itself where it registers
    client_url     the public URL of its client metadata document, for servers that read one
    listener       is told of every `OAuthEvent`, for an audit
    guard          for addresses of authorization servers, where somebody else named them; None: what host code names
                   may be anywhere, what metadata names must be public
    transport      the host's own for requests to authorization servers (a proxy, a private CA); it is not guarded
    pace           the times of a refresh

    Raises: ConfigError for a URL that can't be.
    """

    store: Store
    vault: Vault
    redirect_uri: str
    client_name: str = "mcpbridge"
    client_url: str | None = None
    listener: Listener | None = None
    guard: Guard | None = None
    transport: httpx2.AsyncBaseTransport | None = None
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        try:
            checked_url("redirect_uri", self.redirect_uri, loopback=is_loopback(self.redirect_uri))
            if self.client_url is not None:
                checked_url("client_url", self.client_url)
        except Unsound as error:
            raise ConfigError(f"OAuthHost: {error}; write it as https://host/path") from None

    def guarded(self, guard: Guard | None) -> Self:
        """The same, for an integration whose addresses somebody else named; None: it is the host's own."""
        return self if guard is None else replace(self, guard=guard)
