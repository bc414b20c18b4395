"""From a record to the source that it describes, and the record's rules over it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TypeAlias
from urllib.parse import urljoin, urlsplit

import httpx2
from mcp import StdioServerParameters

from mcpbridge.errors import ConfigError
from mcpbridge.integrations.auth import Use, revealed
from mcpbridge.integrations.parts import read_limits
from mcpbridge.integrations.record import Integration, McpIntegration, RestIntegration
from mcpbridge.net.documents import fetch_document
from mcpbridge.net.guard import ANYWHERE, PUBLIC, Guard
from mcpbridge.net.pool import Pool
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.limits import ReadLimits
from mcpbridge.openapi.servers import first_server
from mcpbridge.rest import RestSource
from mcpbridge.secret import Secret
from mcpbridge.source.base import ToolSource, Wrapper
from mcpbridge.upstream.source import McpSource
from mcpbridge.wrap.connect import Connect

STREAMS = 10_000
"""Connections of an MCP upstream that has one pool for all: a stream of news holds one for as long as it lasts."""

Tap: TypeAlias = Callable[[httpx2.AsyncBaseTransport], httpx2.AsyncBaseTransport]
"""Puts a transport of its own around the one that sends."""


async def source_of(
    record: Integration, use: Use, *, tap: Tap | None = None, document: Document | None = None
) -> ToolSource:
    """The source of a record whose credentials are there, not yet entered. The description is read for it.

    `use` says under which name logins are kept. Its guard is for a record that somebody else than the operator made:
    its addresses, those of its description and of its authorization server have to be public or allowed by it. `tap`
    sees every request of an HTTP API, and `document` is its description where that was read already.

    Raises: DescriptionError, UpstreamError; ConfigError for what can't be called.
    """
    if isinstance(record, RestIntegration):
        return await _rest(record, use, tap, document)
    if isinstance(record, McpIntegration):
        return _mcp(record, use)
    raise ConfigError(f"the integration {record.name!r} has no protocol that is known: use 'rest' or 'mcp'")


async def document_of(record: RestIntegration, *, guard: Guard | None = None) -> Document | None:
    """The description that a record names, None where its operations are written by hand.

    Raises: DescriptionError, UpstreamError.
    """
    if record.openapi is None:
        return None
    limits = read_limits(record.limits)
    if record.openapi.startswith(("http://", "https://")):
        return await fetch_document(record.openapi, limits=limits, guard=guard)
    reading = ReadLimits(bytes=limits.description, operations=limits.operations, seconds=limits.parse)
    return await asyncio.to_thread(partial(Document.parse, Path(record.openapi), limits=reading))


async def _rest(record: RestIntegration, use: Use, tap: Tap | None, document: Document | None) -> ToolSource:
    document = document or await document_of(record, guard=use.guard)
    base_url = record.base_url or _base(record, document)
    guard = use.guard or (ANYWHERE if _is_named(record, base_url) else PUBLIC)
    auth = record.auth.used(replace(use, url=base_url))
    make = partial(
        _made,
        record,
        document,
        base_url=base_url,
        auth=auth,
        transport=_connections(record, guard, tap),
        guard=guard,
    )
    return _asking(make() if document is None else await asyncio.to_thread(make), record, auth)


def _made(
    record: RestIntegration,
    document: Document | None,
    *,
    base_url: str,
    auth: httpx2.Auth | None,
    transport: httpx2.AsyncBaseTransport | None,
    guard: Guard,
) -> RestSource:
    headers, limits = headers_of(record), read_limits(record.limits)
    if document is not None:
        return RestSource.from_openapi(
            document,
            base_url=base_url,
            transport=transport,
            auth=auth,
            headers=headers,
            limits=limits,
            guard=guard,
        )
    operations = [each.operation() for each in record.operations]
    return RestSource(
        operations, base_url=base_url, transport=transport, auth=auth, headers=headers, limits=limits, guard=guard
    )


def _connections(record: RestIntegration, guard: Guard, tap: Tap | None) -> httpx2.AsyncBaseTransport | None:
    """The transport, None where the source's own will do."""
    limits = read_limits(record.limits)
    own = record.auth.pool(limits, guard)
    return own if tap is None else tap(own or Pool(limits, guard=guard))


def headers_of(record: Integration) -> Mapping[str, str | Secret]:
    """The headers on every request. Raises: ValueError where a credential is in the vault still."""
    return {name: value if isinstance(value, str) else revealed(value) for name, value in record.headers.items()}


def _base(record: RestIntegration, document: Document | None) -> str:
    """The first server's URL, which is relative to the description's own (OpenAPI 3.1 section 4.8.5)."""
    first = None if document is None else first_server(document.root)
    where = record.openapi or ""
    url = urljoin(where, first or "/") if where.startswith(("http://", "https://")) else first or ""
    if urlsplit(url).scheme not in {"http", "https"}:
        said = f"its first server is {first!r}" if first else "it names no server"
        raise ConfigError(f"the description of {record.name!r} does not say where the API is ({said}): give base_url")
    return url


def _is_named(record: RestIntegration, base_url: str) -> bool:
    """Whether the operator named the address: as base_url, or as that of the description."""
    mine, theirs = urlsplit(record.openapi or ""), urlsplit(base_url)
    return record.base_url is not None or (mine.scheme, mine.netloc) == (theirs.scheme, theirs.netloc)


def _mcp(record: McpIntegration, use: Use) -> ToolSource:
    limits = read_limits(record.limits)
    if record.transport == "stdio":
        env = {name: revealed(value).reveal() for name, value in record.env.items()}
        command = StdioServerParameters(
            command=record.command or "", args=[*record.args], env=env or None, cwd=record.cwd
        )
        return McpSource(command, limits=limits, trusted=record.trusted)
    many = replace(limits, connections=STREAMS)
    pool = record.auth.pool(many, use.guard or ANYWHERE)
    if pool is None and use.guard is not None:
        pool = Pool(many, guard=use.guard)
    auth = record.auth.used(replace(use, url=record.url))
    source = McpSource(
        record.url or "",
        auth=auth,
        headers=headers_of(record),
        limits=limits,
        trusted=record.trusted,
        transport=record.transport,
        http=pool,
    )
    return _asking(source if pool is None else _Pooled(source, pool), record, auth)


def _asking(source: ToolSource, record: Integration, auth: httpx2.Auth | None) -> ToolSource:
    """The source; where its callers have logins, those who lack one are asked for it."""
    if record.auth.type != "oauth2":
        return source
    from mcpbridge.auth.oauth.code import AuthorizationCode  # noqa: PLC0415 - an optional extra: SQLAlchemy
    from mcpbridge.auth.oauth.links import LoginLinks  # noqa: PLC0415 - as above

    if not isinstance(auth, AuthorizationCode):
        return source
    return Connect(source, LoginLinks(auth, name=record.display_name or record.name))


class _Pooled(Wrapper):
    """A source whose transport is closed after it."""

    def __init__(self, inner: ToolSource, pool: httpx2.AsyncBaseTransport) -> None:
        super().__init__(inner)
        self._pool = pool

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(kind, error, trace)
        finally:
            await self._pool.aclose()
