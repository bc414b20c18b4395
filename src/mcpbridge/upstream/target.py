"""Where an upstream is: a URL, a command, a server in this process, or a transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit

import httpx2
from mcp.client import Transport
from mcp.client.stdio import StdioServerParameters
from mcp.server.lowlevel import Server

from mcpbridge.errors import ConfigError
from mcpbridge.net.limits import Limits
from mcpbridge.net.upstream import checked_auth, checked_headers
from mcpbridge.secret import Secret
from mcpbridge.upstream.http import http_streams
from mcpbridge.upstream.stdio import Stderr, stdio_streams

Target: TypeAlias = str | StdioServerParameters | Server[Any] | Transport | Callable[[], Transport]


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """A target that was checked. `where` names it in messages; `open` gives streams, or a server to call directly."""

    where: str
    open: Callable[[], AbstractAsyncContextManager[Any] | Server[Any]]


def address_of(
    target: Target,
    *,
    auth: httpx2.Auth | None,
    headers: Mapping[str, str | Secret] | None,
    limits: Limits,
    stderr: Stderr,
) -> Address:
    """Checks a target.

    Raises: ConfigError for what is no target, or where a credential was given that can't be sent.
    """
    if isinstance(target, str):
        url, kept = _checked_url(target), checked_headers(headers or {})
        strategy = None if auth is None else checked_auth(auth)
        return Address(
            where=f"{urlsplit(url).scheme}://{urlsplit(url).netloc}",
            open=lambda: http_streams(url, auth=strategy, headers=kept, limits=limits),
        )
    if auth is not None or headers:
        raise ConfigError(
            "auth and headers are for a URL: give a command its credential in StdioServerParameters(env=…)"
        )
    if isinstance(target, StdioServerParameters):
        return Address(where=f"the command {target.command!r}", open=lambda: stdio_streams(target, stderr))
    if isinstance(target, Server):
        server = cast("Server[object]", target)
        return Address(where=f"the server {server.name!r}", open=lambda: server)
    if hasattr(target, "__aenter__"):
        return Address(where="the transport", open=lambda: cast("AbstractAsyncContextManager[Any]", target))
    if callable(target):
        return Address(where="the transport", open=target)
    raise ConfigError(
        f"McpSource can't use {type(target).__name__}: give a URL, StdioServerParameters, an mcp Server, or a transport"
    )


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("the URL of an MCP server must start with http:// or https:// and name a host")
    if parts.username or parts.password:
        raise ConfigError("the URL of an MCP server must not hold a credential: pass auth=Basic(…) or Bearer(…)")
    return url
