"""What is asked of an authorization server's own endpoints: tokens, an end to them, a client's registration."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import cast
from urllib.parse import urlsplit

from mcpbridge.auth.oauth.answer import TokenRefused, known_error, read_tokens
from mcpbridge.auth.oauth.channel import Channel, Said
from mcpbridge.auth.oauth.checks import Unsound
from mcpbridge.auth.oauth.clients import shown
from mcpbridge.auth.oauth.errors import refused, unusable
from mcpbridge.auth.oauth.forms import registration
from mcpbridge.auth.oauth.values import AuthorizationServer, Granted, OAuthClient, method_named
from mcpbridge.errors import UpstreamError
from mcpbridge.secret import Secret
from mcpbridge.tools import Json


async def ask_tokens(
    channel: Channel, server: AuthorizationServer, client: OAuthClient, form: Mapping[str, str]
) -> Granted:
    """The tokens for a grant.

    Raises: TokenRefused for a no that nothing but another grant changes (`invalid_grant`), and for a client that the
    server does not know (`invalid_client`); UpstreamError for everything else; ConfigError for a key that can't sign.
    """
    said = await _post(channel, server.token_endpoint, server, client, form)
    try:
        return read_tokens(said.status, said.content)
    except TokenRefused as refusal:
        if refusal.error in ("invalid_grant", "invalid_client") and refusal.status < 500:
            raise
        raise refused(place(server.token_endpoint), refusal) from None
    except Unsound as error:
        raise unusable(place(server.token_endpoint), str(error)) from None


async def revoke(channel: Channel, server: AuthorizationServer, client: OAuthClient, token: Secret, kind: str) -> bool:
    """Ends a token (RFC 7009 section 2.1); gives whether the server says so. `kind` is the hint on its type."""
    if server.revocation_endpoint is None:
        return False
    form = {"token": token.reveal(), "token_type_hint": kind}
    try:
        said = await _post(channel, server.revocation_endpoint, server, client, form)
    except UpstreamError:
        return False
    return said.status == 200


async def register(
    channel: Channel, server: AuthorizationServer, *, name: str, redirect_uri: str, scopes: Sequence[str]
) -> OAuthClient:
    """A client that the server has just registered (RFC 7591 section 3). Raises: UpstreamError."""
    endpoint = server.registration_endpoint
    if endpoint is None:
        raise unusable(
            place(server.token_endpoint),
            "it registers no clients by itself",
            "Register a client there; give client_id.",
        )
    said = await channel.post_json(endpoint, registration(name, redirect_uri, server.methods, scopes))
    stated = _object(said.content)
    if said.status not in (200, 201):
        refusal = TokenRefused(known_error(stated.get("error")), said.status)
        raise unusable(
            place(endpoint), f"it did not register a client ({refusal})", "Register a client there; give client_id."
        )
    try:
        return _client(stated)
    except Unsound as error:
        raise unusable(place(endpoint), str(error), "Register a client there; give client_id.") from None


def place(url: str) -> str:
    """An endpoint for messages: scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


async def _post(
    channel: Channel, url: str, server: AuthorizationServer, client: OAuthClient, form: Mapping[str, str]
) -> Said:
    known = shown(client, server, now=time.time(), id=secrets.token_urlsafe(16))
    return await channel.post(url, {**form, **known.form}, known.headers)


def _client(stated: Mapping[str, Json]) -> OAuthClient:
    """The client information (RFC 7591 section 3.2.1). Raises: Unsound."""
    name, secret, method = (stated.get(each) for each in ("client_id", "client_secret", "token_endpoint_auth_method"))
    if not isinstance(name, str) or not name or not name.isprintable() or len(name) > 2000:
        raise Unsound("it gave a client no usable client_id")
    if secret is not None and (not isinstance(secret, str) or not secret.isprintable()):
        raise Unsound("it gave a client an unusable client_secret")
    if not secret:
        return OAuthClient(id=name, method="none")
    known = method_named(method)
    usable = known if known in ("client_secret_basic", "client_secret_post") else None
    return OAuthClient(id=name, secret=Secret(secret), method=usable)


def _object(content: bytes) -> Mapping[str, Json]:
    try:
        stated: Json = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return cast("Mapping[str, Json]", stated) if isinstance(stated, dict) else {}
