"""Who may reach an HTTP endpoint by which name: Host, Origin and loopback. Pure; headers come as ASGI gives them.

A page that a browser loaded from elsewhere can send requests to a port on the same machine (DNS rebinding). It can't
choose the Host header freely, so a server that knows its own names refuses all others (MCP 2026-07-28, transports).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from ipaddress import ip_address
from typing import Any, cast
from urllib.parse import urlsplit

from mcpbridge.errors import ConfigError

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""The names under which a server that nobody configured is reached."""

_FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"})


def known_hosts(allowed: Sequence[str] | None) -> frozenset[tuple[str, int | None]]:
    """Host names (`gateway.example.com`, `gateway.example.com:8443`) taken apart; None gives loopback's.

    A name without a port stands for every port.

    Raises: ConfigError for an empty list, a wildcard, a URL, or what is no host.
    """
    if allowed is not None and not allowed:
        raise ConfigError("allowed_hosts is empty: name the hosts that clients use, or leave it out for loopback")
    return frozenset(_configured(host) for host in (LOOPBACK if allowed is None else allowed))


def refusal(scope: Mapping[str, Any], known: frozenset[tuple[str, int | None]]) -> tuple[int, str] | None:
    """Status and text for a request whose Host (421) or Origin (403) is not ours, else None.

    A request without Origin comes from no browser page of another site, and passes.
    """
    hosts = _values(scope, b"host")
    if len(hosts) != 1 or not _is_known(hosts[0], known):
        return (421, "Invalid Host header")
    origins = _values(scope, b"origin")
    if len(origins) > 1 or not all(_is_known(_origin_host(origin), known) for origin in origins):
        return (403, "Invalid Origin header")
    return None


def is_loopback(scope: Mapping[str, Any]) -> bool:
    """Whether a request was sent on this machine, to a loopback name, and was not passed on by a proxy.

    A peer that is unknown (a Unix socket) counts as somewhere else.
    """
    client = scope.get("client")
    if not client or not _is_loopback_address(str(client[0])):
        return False
    if any(name.lower() in _FORWARDED for name, _ in _headers(scope)):
        return False
    hosts = _values(scope, b"host")
    return len(hosts) == 1 and _is_known(hosts[0], _loopback())


@cache
def _loopback() -> frozenset[tuple[str, int | None]]:
    return known_hosts(None)


def _is_known(host: str, known: frozenset[tuple[str, int | None]]) -> bool:
    try:
        name, port = split_host(host)
    except ValueError:
        return False
    return (name, port) in known or (name, None) in known


@lru_cache(maxsize=256)
def split_host(host: str) -> tuple[str, int | None]:
    """A Host header (RFC 9110 section 7.2) as name, in lower case and without brackets, and port.

    Raises: ValueError.
    """
    parts = urlsplit(f"//{host}")
    if not parts.hostname or parts.netloc != host or "@" in host:
        raise ValueError(f"{host!r} is no host")
    return parts.hostname.rstrip("."), parts.port


def _configured(host: str) -> tuple[str, int | None]:
    bare = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
    try:
        name, port = split_host(bare)
    except ValueError:
        name, port = "", None
    if not name or "*" in name:
        raise ConfigError(f"allowed_hosts has {host!r}: write a host name with or without a port, no URL, no wildcard")
    return name, port


def _origin_host(origin: str) -> str:
    scheme, _, host = origin.partition("://")
    return host if scheme in ("http", "https") else ""


@lru_cache(maxsize=256)
def _is_loopback_address(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _values(scope: Mapping[str, Any], name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in _headers(scope) if key.lower() == name]


def _headers(scope: Mapping[str, Any]) -> Iterable[tuple[bytes, bytes]]:
    return cast("Iterable[tuple[bytes, bytes]]", scope.get("headers", ()))
