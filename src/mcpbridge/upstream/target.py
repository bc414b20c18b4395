"""Where an upstream is: a URL, a command, a server in this process, or a transport."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast
from urllib.parse import urlsplit

import httpx2
from mcp.client import Transport
from mcp.client.stdio import StdioServerParameters
from mcp.server.lowlevel import Server

from mcpbridge.errors import ConfigError, Failure
from mcpbridge.net.limits import Limits
from mcpbridge.net.upstream import checked_auth, checked_headers, checked_transport
from mcpbridge.secret import Secret
from mcpbridge.upstream.backoff import Backoff
from mcpbridge.upstream.commands import AllowedCommand, check_command
from mcpbridge.upstream.endpoint import Endpoint
from mcpbridge.upstream.http import Peer
from mcpbridge.upstream.stdio import Written, stdio_streams

Target: TypeAlias = str | StdioServerParameters | Server[Any] | Transport | Callable[[], Transport]
Streams: TypeAlias = AbstractAsyncContextManager[Any]


async def _as_it_is(failure: Failure, peer: Peer) -> Failure | None:  # noqa: ARG001 - the shape of `Endpoint.judged`
    return failure


async def _nothing() -> None:
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """A target that was checked.

    where    names it in messages
    open     gives streams for one connection, or a server to call directly
    judged   what a failure to connect means, None where another attempt is worth it at once
    legacy   whether only the older protocol era can be spoken there
    written  what a child process wrote
    close    ends what connections share
    backoff  how soon a lost connection is opened again
    sessions how many there may be at once: a child process each costs more than a connection
    """

    where: str
    open: Callable[[Peer], Streams | Server[Any]]
    judged: Callable[[Failure, Peer], Awaitable[Failure | None]] = _as_it_is
    legacy: Callable[[], bool] = field(default=lambda: False)
    written: Written = field(default_factory=lambda: Written(1))
    close: Callable[[], Awaitable[None]] = _nothing
    backoff: Backoff = field(default_factory=lambda: Backoff(most=30.0, restarts=100))
    sessions: int = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Ways:
    """How a target is reached, as the host said it (see `McpSource`)."""

    auth: httpx2.Auth | None = None
    headers: Mapping[str, str | Secret] | None = None
    transport: Literal["http", "sse", "stdio"] | None = None
    http: httpx2.AsyncBaseTransport | None = None
    commands: Sequence[AllowedCommand] | None = None


def address_of(target: Target, ways: Ways, limits: Limits) -> Address:
    """Checks a target.

    Raises: ConfigError for what is no target, or where something was given that does not go with it.
    """
    if isinstance(target, str):
        return _url(target, ways, limits)
    if ways.auth is not None or ways.headers or ways.http is not None:
        raise ConfigError(
            "auth, headers and http are for a URL: give a command its credential in StdioServerParameters(env=…)"
        )
    if isinstance(target, StdioServerParameters):
        return _command(target, ways, limits)
    if ways.transport is not None:
        raise ConfigError(f"transport={ways.transport!r} is for a URL or a command, not for {type(target).__name__}")
    if isinstance(target, Server):
        server = cast("Server[object]", target)
        return Address(where=f"the server {server.name!r}", open=lambda _: server)
    if hasattr(target, "__aenter__"):
        return Address(where="the transport", open=lambda _: cast("Streams", target))
    if callable(target):
        return Address(where="the transport", open=lambda _: target())
    raise ConfigError(
        f"McpSource can't use {type(target).__name__}: give a URL, StdioServerParameters, an mcp Server, or a transport"
    )


def _url(target: str, ways: Ways, limits: Limits) -> Address:
    if ways.transport == "stdio":
        raise ConfigError("transport='stdio' is for a command: give StdioServerParameters")
    endpoint = Endpoint(
        _checked_url(target),
        declared=_declared(ways.transport),
        auth=None if ways.auth is None else checked_auth(ways.auth),
        headers=checked_headers(ways.headers or {}),
        limits=limits,
        inner=None if ways.http is None else checked_transport(ways.http),
    )
    return Address(
        where=endpoint.where,
        open=endpoint.open,
        judged=endpoint.judged,
        legacy=lambda: endpoint.legacy,
        close=endpoint.aclose,
    )


def _command(target: StdioServerParameters, ways: Ways, limits: Limits) -> Address:
    if ways.transport not in (None, "stdio"):
        raise ConfigError(f"transport={ways.transport!r} is for a URL, not for the command {target.command!r}")
    if not hasattr(os, "killpg"):
        raise ConfigError("stdio upstreams need process groups, which this system does not have: use a URL")
    if ways.commands is not None:
        check_command(target, ways.commands)
    where, written = f"the command {target.command!r}", Written(limits.stderr)
    return Address(
        where=where,
        open=lambda _: stdio_streams(target, where, written, limits),
        written=written,
        backoff=Backoff(),
        sessions=20,
    )


def _declared(transport: Literal["http", "sse", "stdio"] | None) -> Literal["http", "sse"] | None:
    if transport is None:
        return None
    if transport == "http" or transport == "sse":
        return transport
    raise ConfigError(f"transport={transport!r} is none: use 'http', 'sse' or 'stdio', or leave it out")


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("the URL of an MCP server must start with http:// or https:// and name a host")
    if parts.username or parts.password:
        raise ConfigError("the URL of an MCP server must not hold a credential: pass auth=Basic(…) or Bearer(…)")
    return url
