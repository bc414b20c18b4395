"""`Endpoint`: an MCP server at a URL, over streamable HTTP or over SSE, whichever it speaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

import httpx2
from mcp.client.streamable_http import streamable_http_client

from mcpbridge.errors import Failure
from mcpbridge.net.limits import Limits
from mcpbridge.net.pool import Pool
from mcpbridge.upstream.carried import failure_in_body
from mcpbridge.upstream.failures import NO_MCP, WRONG_TRANSPORT
from mcpbridge.upstream.http import AnsweringTransport, Peer
from mcpbridge.upstream.sse import ACCEPT, sse_streams

Transport: TypeAlias = Literal["http", "sse"]

_OTHER: Final[Mapping[Transport, Transport]] = {"http": "sse", "sse": "http"}
_NAMES: Final[Mapping[Transport, str]] = {"http": "streamable HTTP", "sse": "SSE"}
_UNSPOKEN = frozenset({400, 404, 405, 406, 410, 415, 501})
"""Statuses by which a server says that it does not speak a transport (MCP 2025-11-25, backwards compatibility)."""

_STREAMS = 10_000
"""Streams of news that may be open: one for each session, and there are never so many."""

_PING = {"jsonrpc": "2.0", "id": 0, "method": "ping"}


class Endpoint:
    """A URL, how requests to it are signed, and its pools of connections.

    Without a declared transport streamable HTTP is tried first, then SSE. `inner` is a transport of the host's, for
    everything, which stays open; without one there are two pools of our own, since a stream of news holds its
    connection as long as it lasts, and must not take one from the calls.
    """

    def __init__(
        self,
        url: str,
        *,
        declared: Transport | None,
        auth: httpx2.Auth | None,
        headers: Mapping[str, str],
        limits: Limits,
        inner: httpx2.AsyncBaseTransport | None,
    ) -> None:
        self.where = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
        self._url = url
        self._declared: Transport | None = declared
        self._spoken: Transport = declared or "http"
        self._auth = auth
        self._headers = headers
        self._limits = limits
        self._inner = inner
        self._calls = inner or Pool(limits)
        self._streams = inner or Pool(replace(limits, connections=_STREAMS))

    @property
    def legacy(self) -> bool:
        """Whether only the older protocol era can be spoken: no later one has SSE."""
        return self._spoken == "sse"

    @asynccontextmanager
    async def open(self, peer: Peer) -> AsyncGenerator[Any]:
        """The streams of a new connection."""
        most = self._limits.description
        async with self._client(peer) as client:
            if self._spoken == "sse":
                streams = sse_streams(self._url, client, most=most, patience=self._limits.connect / 2)
            else:
                streams = streamable_http_client(self._url, http_client=client, max_sse_event_size=most)
            async with streams as opened:
                yield opened

    async def judged(self, failure: Failure, peer: Peer) -> Failure | None:
        """What a failure to connect means, or None where it is worth trying again at once, over the other transport."""
        if failure.status not in _UNSPOKEN and failure.code not in (NO_MCP, WRONG_TRANSPORT):
            return failure
        other = _OTHER[self._spoken]
        speaks = False
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.connect / 2), self._client(peer) as client:
                speaks = await _speaks(client, self._url, other)
        if not speaks:
            hint = "It answers, but not as an MCP server: check the URL and its path."
            return replace(failure, code=NO_MCP, hint=hint)
        if self._declared is None:
            self._spoken = other
            return None
        return Failure(
            code=WRONG_TRANSPORT,
            message=f"{self.where} does not speak {_NAMES[self._declared]}, but {_NAMES[other]}",
            hint=f"Declare transport={other!r}, or none.",
            status=failure.status,
        )

    async def aclose(self) -> None:
        """Closes the pools of our own; a later connection opens them again."""
        if self._inner is None:
            await self._calls.aclose()
            await self._streams.aclose()

    def _client(self, peer: Peer) -> httpx2.AsyncClient:
        transport = AnsweringTransport(
            self._calls, self._streams, auth=self._auth, headers=self._headers, limits=self._limits, peer=peer
        )
        # there is no time limit on reading: deadlines are those of whole calls
        timeout = httpx2.Timeout(None, connect=self._limits.connect, pool=self._limits.connect)
        return httpx2.AsyncClient(transport=transport, timeout=timeout, trust_env=False)


async def _speaks(client: httpx2.AsyncClient, url: str, transport: Transport) -> bool:
    """Whether a server answers in this transport, told by its first words."""
    if transport == "http":
        headers = {"Accept": "application/json, text/event-stream"}
        answer = await client.post(url, json=_PING, headers=headers)
        return b'"jsonrpc"' in answer.content and failure_in_body(answer.content) is None
    async with client.stream("GET", url, headers=ACCEPT) as response:
        if response.status_code != 200 or "text/event-stream" not in response.headers.get("content-type", ""):
            return False
        async for part in response.aiter_lines():
            if part:
                return part.replace(" ", "") == "event:endpoint"
    return False
