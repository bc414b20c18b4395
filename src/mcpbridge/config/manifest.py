"""`MCPServer` manifests, as Kubernetes has them, as the fields of a record. Pure.

::

    apiVersion: mcp.example.com/v1
    kind: MCPServer
    metadata: {name: linear}
    spec: {type: http, url: https://mcp.linear.app/mcp, auth: {type: oauth, authorizationServer: {issuer: …}}}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from mcpbridge.errors import ConfigError
from mcpbridge.openapi.closest import closest
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.tools import Json

Fields: TypeAlias = dict[str, Any]

KIND = "MCPServer"

_TRANSPORTS: Mapping[str, str] = {"http": "http", "streamable-http": "http", "sse": "sse", "stdio": "stdio"}
_SPEC = (
    "type", "url", "command", "args", "env", "headers", "timeout", "toolPrefix", "description", "auth", "enabled",
)  # fmt: skip
_AUTH = ("type", "forwardToken", "tokenExchange", "authorizationServer")
_SERVER = ("issuer", "scopes")
_EXCHANGE: Mapping[str, str] = {
    "tokenEndpoint": "token_endpoint",
    "audience": "audience",
    "clientId": "client_id",
    "clientSecret": "client_secret",
    "scopes": "scopes",
}
_TIMEOUT = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}


def is_manifest(document: Json) -> bool:
    """Whether this is a document of Kubernetes' kind."""
    return is_object(document) and "kind" in document and "spec" in document


def fields_of(manifest: Mapping[str, Json]) -> Fields:
    """The fields of the record that a manifest stands for.

    Raises: ConfigError that says which member is wrong, and which one was meant.
    """
    if manifest["kind"] != KIND:
        raise ConfigError(f"kind is {manifest['kind']!r}: only {KIND} manifests are read")
    metadata, spec = _object(manifest, "metadata", ()), _object(manifest, "spec", _SPEC, "spec.")
    fields: Fields = {"name": _slug(spec.get("toolPrefix")) or metadata.get("name"), "protocol": "mcp"}
    if fields["name"] is None:
        raise ConfigError("metadata.name is missing: it is the slug of the integration")
    for name, read in _READ.items():
        if spec.get(name) is not None:
            fields |= read(spec[name])
    if fields.get("auth", {}).get("type") == "token_forward":
        fields["auth"]["audience"] = fields.get("url")  # RFC 8707 section 2: the upstream's own identifier
    if "type" not in spec:
        raise ConfigError(f"spec.type is missing: use one of {', '.join(_TRANSPORTS)}")
    return fields


def _type(value: Json) -> Fields:
    if value not in _TRANSPORTS:
        meant = closest(str(value), [*_TRANSPORTS])
        hint = f"did you mean {meant!r}?" if meant else f"use one of {', '.join(_TRANSPORTS)}"
        raise ConfigError(f"spec.type {str(value)[:40]!r} is no transport: {hint}")
    return {"transport": _TRANSPORTS[value]}


def _timeout(value: Json) -> Fields:
    found = _TIMEOUT.fullmatch(str(value))
    if found is None or isinstance(value, bool):
        raise ConfigError("spec.timeout must be seconds, or a text such as 30s, 500ms or 2m")
    return {"limits": {"deadline": float(found[1]) * _SECONDS[found[2]]}}


def _slug(prefix: Json) -> str | None:
    return prefix.rstrip("_-") if isinstance(prefix, str) else None


def _named(member: str) -> Callable[[Json], Fields]:
    """Reads an object of texts, or Kubernetes' list of `{name, value}`."""

    def read(value: Json) -> Fields:
        if is_object(value):
            return {member: dict(value)}
        if not is_list(value) or not all(is_object(each) and "name" in each for each in value):
            raise ConfigError(f"spec.{member} must be an object of texts, or a list of {{name, value}}")
        return {member: {each["name"]: _value(each, member) for each in cast("Sequence[Mapping[str, Json]]", value)}}

    return read


def _value(each: Mapping[str, Json], member: str) -> Json:
    """The value; one of a Kubernetes secret is a reference to it."""
    if "value" in each:
        return each["value"]
    source = each.get("valueFrom")
    key = source.get("secretKeyRef") if is_object(source) else None
    if is_object(key) and isinstance(key.get("name"), str) and isinstance(key.get("key"), str):
        return f"secret://{key['name']}/{key['key']}"
    raise ConfigError(f"spec.{member} {str(each['name'])[:64]!r} has no value: give value, or valueFrom.secretKeyRef")


def _auth(value: Json) -> Fields:
    auth = _object({"auth": value}, "auth", _AUTH, "spec.auth.")
    kind = auth.get("type", "none")
    if kind == "none":
        return {}
    if kind != "oauth":
        raise ConfigError(f"spec.auth.type {str(kind)[:40]!r} is none: use 'oauth' or 'none'")
    server = _object(auth, "authorizationServer", _SERVER, "spec.auth.authorizationServer.")
    ways = [name for name in ("forwardToken", "tokenExchange") if auth.get(name)]
    if len(ways) > 1 or (ways and server.get("issuer")):
        given = [f"spec.auth.{name}" for name in ways] + ["spec.auth.authorizationServer.issuer"] * ("issuer" in server)
        raise ConfigError(f"{' and '.join(given)} exclude each other: keep one")
    if ways == ["forwardToken"]:
        return {"auth": {"type": "token_forward"}}
    if ways:
        exchange = _object(auth, "tokenExchange", [*_EXCHANGE], "spec.auth.tokenExchange.")
        return {"auth": {"type": "token_exchange"} | {_EXCHANGE[name]: each for name, each in exchange.items()}}
    scopes = server.get("scopes")
    joined = " ".join(map(str, scopes)) if is_list(scopes) else scopes
    told = {"issuer": server.get("issuer"), "scopes": joined}
    return {"auth": {"type": "oauth2", **{name: each for name, each in told.items() if each is not None}}}


def _object(holder: Mapping[str, Json], name: str, known: Sequence[str], place: str = "") -> Mapping[str, Json]:
    """The object under a name, empty where there is none. Raises: ConfigError for a member that nobody knows."""
    value = holder.get(name)
    if value is None:
        return {}
    if not is_object(value):
        raise ConfigError(f"{place.removesuffix('.') or name} must be an object")
    for member in value if known else ():
        if member not in known:
            meant = closest(str(member), known)
            hint = f"did you mean {meant!r}?" if meant else f"there are: {', '.join(known)}"
            raise ConfigError(f"{place}{member} is nothing that a manifest has; {hint}")
    return value


_READ: Mapping[str, Callable[[Json], Fields]] = {
    "type": _type,
    "url": lambda value: {"url": value},
    "command": lambda value: {"command": value},
    "args": lambda value: {"args": value},
    "env": _named("env"),
    "headers": _named("headers"),
    "timeout": _timeout,
    "description": lambda value: {"description": value},
    "enabled": lambda value: {"enabled": value},
    "auth": _auth,
}
