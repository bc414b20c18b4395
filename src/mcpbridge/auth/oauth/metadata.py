"""Metadata: where it stands, and what of it may be believed. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from mcpbridge.auth.oauth.checks import Unsound, checked_issuer, checked_url
from mcpbridge.auth.oauth.values import AuthorizationServer
from mcpbridge.tools import Json

_RESOURCE = "/.well-known/oauth-protected-resource"
_SERVER = "/.well-known/oauth-authorization-server"
_OPENID = "/.well-known/openid-configuration"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProtectedResource:
    """What a resource says of itself (RFC 9728 section 2)."""

    resource: str
    issuers: Sequence[str]
    scopes: Sequence[str] = ()


def resource_places(resource: str) -> Sequence[str]:
    """Where a resource's metadata may stand: for its path, then for its origin (RFC 9728 section 3.1)."""
    origin, path, query = _split(resource)
    whole = f"{origin}{_RESOURCE}{path}{query}"
    return [*dict.fromkeys((whole, f"{origin}{_RESOURCE}"))]


def server_places(issuer: str) -> Sequence[str]:
    """Where an issuer's metadata may stand: RFC 8414 section 3.1, then OpenID Connect in both of its ways."""
    origin, path, _ = _split(issuer)
    inserted = [f"{origin}{_SERVER}{path}", f"{origin}{_OPENID}{path}"]
    return [*inserted, f"{origin}{path}{_OPENID}"] if path else inserted


def origin_of(url: str) -> str:
    """Scheme, host and port, as a URL without a path."""
    return _split(url)[0]


def read_resource(content: bytes, resource: str, *, loopback: bool = False) -> ProtectedResource:
    """The metadata of a resource.

    Raises: Unsound where it is not of this resource (RFC 9728 section 3.3: the same URL; a parent path of the same
    origin counts too, since one server may publish it once for all of its paths), or names no issuer.
    """
    stated = _object(content)
    named = stated.get("resource")
    if not isinstance(named, str) or not _covers(named, resource):
        raise Unsound("the resource in its metadata is another one")
    issuers = [
        checked_issuer("an issuer in it", each, loopback=loopback) for each in _list(stated, "authorization_servers")
    ]
    if not issuers:
        raise Unsound("it names no authorization server")
    scopes = [each for each in _list(stated, "scopes_supported") if isinstance(each, str)]
    return ProtectedResource(resource=named, issuers=issuers, scopes=scopes)


def read_server(content: bytes, issuer: str, *, loopback: bool = False) -> AuthorizationServer:
    """The metadata of an issuer.

    Raises: Unsound where it is of another issuer (RFC 8414 section 3.3), or an endpoint can't be used.
    """
    stated = _object(content)
    if stated.get("issuer") != issuer:
        raise Unsound("the issuer in its metadata is another one")

    def url(name: str) -> str | None:
        return None if stated.get(name) is None else checked_url(name, stated[name], loopback=loopback)

    return AuthorizationServer(
        issuer=issuer,
        token_endpoint=checked_url("token_endpoint", stated.get("token_endpoint"), loopback=loopback),
        authorization_endpoint=url("authorization_endpoint"),
        registration_endpoint=url("registration_endpoint"),
        revocation_endpoint=url("revocation_endpoint"),
        methods=_methods(stated),
        s256="S256" in _list(stated, "code_challenge_methods_supported"),
        says_issuer=stated.get("authorization_response_iss_parameter_supported") is True,
        reads_client_documents=stated.get("client_id_metadata_document_supported") is True,
    )


def _methods(stated: Mapping[str, Json]) -> Sequence[str]:
    """Those of the token endpoint; left out, it is basic (RFC 8414 section 2)."""
    named = [each for each in _list(stated, "token_endpoint_auth_methods_supported") if isinstance(each, str)]
    return named or ["client_secret_basic"]


def _covers(named: str, resource: str) -> bool:
    origin, path, query = _split(named)
    ours, our_path, our_query = _split(resource)
    if (origin, path, query) == (ours, our_path, our_query):
        return True
    return origin == ours and not query and f"{our_path}/".startswith(f"{path}/")


def _split(url: str) -> tuple[str, str, str]:
    """Origin, path without a slash at its end, and query with its question mark; the case of a host does not count."""
    parts = urlsplit(url)
    default = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    netloc = parts.netloc.lower().removesuffix(default) if default else parts.netloc.lower()
    return f"{parts.scheme}://{netloc}", parts.path.rstrip("/"), f"?{parts.query}" if parts.query else ""


def _object(content: bytes) -> Mapping[str, Json]:
    try:
        stated: Json = json.loads(content)
    except (ValueError, RecursionError):
        raise Unsound("its metadata is no JSON") from None
    if not isinstance(stated, dict):
        raise Unsound("its metadata is no JSON object")
    return cast("Mapping[str, Json]", stated)


def _list(stated: Mapping[str, Json], name: str) -> Sequence[object]:
    value = stated.get(name)
    return cast("list[object]", value) if isinstance(value, list) else ()
