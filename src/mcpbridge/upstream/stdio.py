"""MCP over a child's standard input and output: one message a line, and what is none is passed over."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import StdioServerParameters
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCRequest, JSONRPCResponse, jsonrpc_message_adapter

from mcpbridge.net.limits import Limits
from mcpbridge.upstream.carried import error_with
from mcpbridge.upstream.child import Child
from mcpbridge.upstream.failures import too_long
from mcpbridge.upstream.lines import TooLong, read_lines

logger = logging.getLogger(__name__)


class Written:
    """What children of one upstream wrote besides messages: the end of their standard error, at most `most` bytes.

    `noise` counts the lines of standard output that were no messages.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept = bytearray()
        self.noise = 0

    def error(self, data: bytes) -> None:
        """Keeps the newest bytes."""
        self._kept += data
        del self._kept[: -self._most]

    def text(self) -> str:
        """What is kept of the standard error, as text."""
        return self._kept.decode("utf-8", "replace")


@asynccontextmanager
async def stdio_streams(
    parameters: StdioServerParameters, where: str, written: Written, limits: Limits
) -> AsyncGenerator[Any]:
    """The read and write streams of a child that is started here and ended at the end.

    Raises: OSError where it can't be started.
    """
    child = await Child.start(parameters, written.error)
    incoming, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, sent = anyio.create_memory_object_stream[SessionMessage](0)
    pipes = _Pipes(child, parameters, where, written, limits)
    async with received, outgoing, incoming, sent, anyio.create_task_group() as tasks:
        try:
            tasks.start_soon(pipes.read_into, incoming)
            tasks.start_soon(pipes.write_from, sent, incoming)
            yield received, outgoing
        finally:
            await child.close()
            tasks.cancel_scope.cancel()


class _Pipes:
    def __init__(
        self, child: Child, parameters: StdioServerParameters, where: str, written: Written, limits: Limits
    ) -> None:
        self._child = child
        self._encoding = (parameters.encoding, parameters.encoding_error_handler)
        self._where = where
        self._written = written
        self._limits = limits
        self._listings: set[int | str] = set()

    async def read_into(self, incoming: MemoryObjectSendStream[SessionMessage | Exception]) -> None:
        async with incoming:
            async for line in read_lines(self._child.read, self._most):
                message = self._too_long(line) if isinstance(line, TooLong) else self._message(line)
                if message is None:
                    self._written.noise += 1
                    continue
                try:
                    await incoming.send(message)
                except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                    return  # the session has gone; the child is closed by and by

    async def write_from(
        self,
        sent: MemoryObjectReceiveStream[SessionMessage],
        incoming: MemoryObjectSendStream[SessionMessage | Exception],
    ) -> None:
        async with sent:
            async for message in sent:
                told = message.message
                if isinstance(told, JSONRPCRequest) and told.method.endswith("/list"):
                    self._listings.add(told.id)
                text = told.model_dump_json(by_alias=True, exclude_unset=True) + "\n"
                try:
                    await self._child.write(text.encode(*self._encoding))
                except (BrokenPipeError, ConnectionResetError):
                    await incoming.aclose()  # it may live on, but it hears nothing: nobody waits for its answers
                    return

    def _most(self) -> int:
        """A listing describes a whole server; everything else is one answer."""
        return self._limits.description if self._listings else self._limits.answer

    def _message(self, line: bytes) -> SessionMessage | None:
        try:
            message = jsonrpc_message_adapter.validate_json(line.decode(*self._encoding), by_name=False)
        except (ValueError, RecursionError):  # the line is in no log: it may hold anything
            logger.debug("%s wrote a line that is no message", self._where)
            return None
        if isinstance(message, JSONRPCResponse | JSONRPCError) and message.id is not None:
            self._listings.discard(message.id)
        return SessionMessage(message)

    def _too_long(self, line: TooLong) -> SessionMessage | None:
        if line.id is None:
            return None
        error = error_with(too_long(self._where, self._most()))
        self._listings.discard(line.id)
        return SessionMessage(JSONRPCError(jsonrpc="2.0", id=line.id, error=error))
