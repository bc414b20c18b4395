"""Grants and logins as the texts that the vault seals. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from mcpbridge.auth.oauth.values import Grant, OAuthClient, method_named
from mcpbridge.secret import Secret
from mcpbridge.tools import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """A login under way: what its end needs, on whichever replica that is."""

    verifier: Secret
    server: str
    client: OAuthClient
    redirect_uri: str
    return_to: str | None = None
    scopes: Sequence[str] = ()
    resource: str | None = None


def client_text(client: OAuthClient) -> Secret:
    """A client that a server registered."""
    return Secret(json.dumps(_of_client(client)))


def grant_text(grant: Grant) -> Secret:
    """A grant with its tokens."""
    stated: Json = {
        "access": grant.access.reveal(),
        "refresh": grant.refresh.reveal() if grant.refresh else None,
        "lifetime": grant.lifetime,
        "scope": grant.scope,
        "server": grant.server,
        "client": _of_client(grant.client),
    }
    return Secret(json.dumps(stated))


def login_text(login: Login) -> Secret:
    """A login under way."""
    stated: Json = {
        "verifier": login.verifier.reveal(),
        "server": login.server,
        "client": _of_client(login.client),
        "redirect_uri": login.redirect_uri,
        "return_to": login.return_to,
        "scopes": [*login.scopes],
        "resource": login.resource,
    }
    return Secret(json.dumps(stated))


def read_client(text: Secret) -> OAuthClient:
    """The client of a text that `client_text` wrote."""
    return _client(json.loads(text.reveal()))


def read_grant(text: Secret) -> Grant:
    """The grant of a text that `grant_text` wrote."""
    stated: Json = json.loads(text.reveal())
    return Grant(
        access=Secret(stated["access"]),
        refresh=Secret(stated["refresh"]) if stated["refresh"] else None,
        lifetime=stated["lifetime"],
        scope=stated["scope"],
        server=stated["server"],
        client=_client(stated["client"]),
    )


def read_login(text: Secret) -> Login:
    """The login of a text that `login_text` wrote."""
    stated: Json = json.loads(text.reveal())
    return Login(
        verifier=Secret(stated["verifier"]),
        server=stated["server"],
        client=_client(stated["client"]),
        redirect_uri=stated["redirect_uri"],
        return_to=stated["return_to"],
        scopes=stated["scopes"],
        resource=stated["resource"],
    )


def _of_client(client: OAuthClient) -> Json:
    secret = client.secret.reveal() if client.secret else None
    return {"id": client.id, "secret": secret, "method": client.method}


def _client(stated: Json) -> OAuthClient:
    secret = Secret(stated["secret"]) if stated["secret"] else None
    return OAuthClient(id=stated["id"], secret=secret, method=method_named(stated["method"]))
