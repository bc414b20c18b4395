"""The parameters of every request to an authorization server. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from mcpbridge.auth.oauth.checks import is_loopback
from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret
from mcpbridge.tools import Json

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name (RFC 8693 section 3)
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"

_OURS = frozenset(
    {
        "response_type",
        "client_id",
        "client_secret",
        "redirect_uri",
        "state",
        "code_challenge",
        "code_challenge_method",
        "code",
        "code_verifier",
        "grant_type",
        "refresh_token",
        "scope",
        "resource",
        "subject_token",
        "client_assertion",
        "client_assertion_type",
    }
)


def checked_extra(extra: Mapping[str, str] | None) -> Mapping[str, str]:
    """Parameters of the host's own, such as `audience` or `prompt`. Raises: ConfigError for one that is ours to set."""
    given = dict(extra or {})
    if taken := sorted(_OURS & given.keys()):
        raise ConfigError(f"extra={{{taken[0]!r}: …}} is set by the flow itself: take it out")
    return given


def s256(verifier: str) -> str:
    """The code challenge of a verifier (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def authorization_url(
    endpoint: str,
    *,
    client_id: str,
    redirect_uri: str,
    state: str,
    verifier: str,
    scopes: Sequence[str] = (),
    resource: str | None = None,
    extra: Mapping[str, str] | None = None,
) -> str:
    """Where a browser is sent (RFC 6749 section 4.1.1, RFC 7636 section 4.3, RFC 8707 section 2.1)."""
    wanted = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": s256(verifier),
        "code_challenge_method": "S256",
        **scoped(scopes, resource),
        **(extra or {}),
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(wanted)}"


def code_form(*, code: str, verifier: str, redirect_uri: str, resource: str | None = None) -> dict[str, str]:
    """RFC 6749 section 4.1.3."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
    return {**form, **scoped((), resource)}


def refresh_form(refresh: Secret, resource: str | None = None) -> dict[str, str]:
    """RFC 6749 section 6; the scopes stay those of the grant."""
    return {"grant_type": "refresh_token", "refresh_token": refresh.reveal(), **scoped((), resource)}


def scoped(scopes: Sequence[str], resource: str | None = None, audience: str | None = None) -> dict[str, str]:
    """What a token is to be good for; what is not wanted is left out."""
    wanted = {"scope": " ".join(scopes), "resource": resource or "", "audience": audience or ""}
    return {name: value for name, value in wanted.items() if value}


def registration(name: str, redirect_uri: str, methods: Sequence[str], scopes: Sequence[str] = ()) -> dict[str, Json]:
    """The metadata of a client that registers itself (RFC 7591 section 2)."""
    known = ("client_secret_basic", "client_secret_post", "none")
    method = next((each for each in known if each in methods), "client_secret_basic")
    return {**client_document(name, redirect_uri, scopes), "token_endpoint_auth_method": method}


def client_document(name: str, redirect_uri: str, scopes: Sequence[str] = (), *, url: str = "") -> dict[str, Json]:
    """The metadata of a client; with `url`, as it is served there (OAuth client ID metadata document).

    A client whose browsers come back to this machine is a native one (OpenID Connect Registration section 2).
    """
    document: dict[str, Json] = {
        "client_name": name,
        "application_type": "native" if is_loopback(redirect_uri) else "web",
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    }
    if scopes:
        document["scope"] = " ".join(scopes)
    return {"client_id": url, **document, "token_endpoint_auth_method": "none"} if url else document
