"""The older transport over HTTP (MCP 2024-11-05): one stream of events from the server, and a POST for each message.

The SDK's ends with the first POST that fails, and leaves whoever waits for its answer waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeAlias
from urllib.parse import urljoin

import anyio
import httpx2
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from httpx2 import EventSource, ServerSentEvent
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage
from mcp_types import ErrorData, JSONRPCError, JSONRPCRequest, jsonrpc_message_adapter

from mcpbridge.errors import Failure
from mcpbridge.net.redirect import origin
from mcpbridge.upstream.carried import error_with
from mcpbridge.upstream.failures import WRONG_TRANSPORT

_Incoming: TypeAlias = MemoryObjectSendStream[SessionMessage | Exception]

ACCEPT = {"Accept": "text/event-stream", "Cache-Control": "no-store"}


@asynccontextmanager
async def sse_streams(url: str, client: httpx2.AsyncClient, *, most: int, patience: float) -> AsyncGenerator[Any]:
    """The read and write streams of a connection; one event has at most `most` bytes.

    The server has `patience` seconds to say where messages are sent; other streams say nothing at all.

    Raises: MCPError with the failure where the server gives no such stream.
    """
    async with client.stream("GET", url, headers=ACCEPT) as response, aclosing(_messages(response, most)) as events:
        try:
            async with asyncio.timeout(patience):
                address = await _address(events, url)
        except TimeoutError:
            raise _no_stream() from None
        incoming, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        outgoing, sent = anyio.create_memory_object_stream[SessionMessage](0)
        async with received, outgoing, incoming, sent, anyio.create_task_group() as tasks:
            tasks.start_soon(_read, events, incoming)
            tasks.start_soon(_write, client, address, sent, incoming, tasks)
            try:
                yield received, outgoing
            finally:
                tasks.cancel_scope.cancel()


async def _messages(response: httpx2.Response, most: int) -> AsyncGenerator[ServerSentEvent]:
    """The events. Raises: MCPError."""
    if response.status_code >= 400:
        raise MCPError.from_error_data(_error_in(await response.aread()))
    try:
        async for event in EventSource(response, max_event_size=most):
            yield event
    except httpx2.SSEError:
        raise _no_stream() from None


async def _address(events: AsyncGenerator[ServerSentEvent], url: str) -> str:
    """Where messages are sent: what the first event says, on the same origin, or a credential could go elsewhere."""
    async for event in events:
        if event.event != "endpoint":
            break
        address = urljoin(url, event.data)
        if origin(httpx2.URL(address)) == origin(httpx2.URL(url)):
            return address
        break
    raise _no_stream()


async def _read(events: AsyncGenerator[ServerSentEvent], incoming: _Incoming) -> None:
    async with incoming:
        async for event in events:
            if event.event != "message" or not event.data:
                continue
            try:
                message = jsonrpc_message_adapter.validate_json(event.data, by_name=False)
            except (ValueError, RecursionError):
                continue
            try:
                await incoming.send(SessionMessage(message))
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return


async def _write(
    client: httpx2.AsyncClient,
    address: str,
    sent: MemoryObjectReceiveStream[SessionMessage],
    incoming: _Incoming,
    tasks: TaskGroup,
) -> None:
    """Requests go side by side, everything else in its order."""
    async for message in sent:
        if isinstance(message.message, JSONRPCRequest):
            tasks.start_soon(_post, client, address, message, incoming)
        else:
            await _post(client, address, message, incoming)


async def _post(client: httpx2.AsyncClient, address: str, message: SessionMessage, incoming: _Incoming) -> None:
    told = message.message
    body = told.model_dump(by_alias=True, mode="json", exclude_unset=True)
    response = await client.post(address, json=body)
    if response.status_code < 300 or not isinstance(told, JSONRPCRequest):
        return
    error = _error_in(response.content)
    try:
        await incoming.send(SessionMessage(JSONRPCError(jsonrpc="2.0", id=told.id, error=error)))
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        return


def _error_in(content: bytes) -> ErrorData:
    try:
        answer = jsonrpc_message_adapter.validate_json(content, by_name=False)
    except (ValueError, RecursionError):
        answer = None
    return answer.error if isinstance(answer, JSONRPCError) else _no_stream().error


def _no_stream() -> MCPError:
    """Something answers there, but not as a server of this transport."""
    failure = Failure(
        code=WRONG_TRANSPORT,
        message="the address answers, but not as an MCP server over SSE",
        hint="Check the URL, and how the server is reached.",
        sent="yes",
    )
    return MCPError.from_error_data(error_with(failure))
