"""`Child`: a process that is started without a shell, in a process group of its own, and ended with all of that group.

It ends as MCP says (2025-11-25, lifecycle, shutdown): its standard input is closed, then SIGTERM, then SIGKILL. A
process that leaves the group by itself (`setsid`) is not followed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable
from typing import Final, Self, cast

import anyio
from mcp.client.stdio import StdioServerParameters, get_default_environment

PATIENCE: Final = 2.0
"""Seconds that a child has to end after its input was closed; half of that after SIGTERM, and after SIGKILL."""

HELD: Final = 1024 * 1024
"""Bytes of output that are taken before they are read; then the child has to wait."""

_LAST_WORDS = 0.25
"""Seconds after its end in which what a child had written still arrives, though another process holds its output."""

_IN, _OUT, _ERRORS = 0, 1, 2


class Child(asyncio.SubprocessProtocol):
    """A child process; `start` makes one. `errors` gets what it writes to its standard error."""

    _transport: asyncio.SubprocessTransport

    def __init__(self, errors: Callable[[bytes], None]) -> None:
        self._errors = errors
        self._parts: deque[bytes] = deque()
        self._held = 0
        self._news = asyncio.Event()
        self._ended = False
        self._closing = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._exited = asyncio.Event()
        self._closed = asyncio.Event()

    @classmethod
    async def start(cls, parameters: StdioServerParameters, errors: Callable[[bytes], None]) -> Self:
        """Starts the command with a few harmless variables of ours (`PATH`, `HOME` …) and those of its parameters.

        Raises: OSError where it can't be started; ValueError for a NUL in its words.
        """
        _, child = await asyncio.get_running_loop().subprocess_exec(
            lambda: cls(errors),
            parameters.command,
            *parameters.args,
            env=get_default_environment() | (parameters.env or {}),
            cwd=parameters.cwd,
            start_new_session=True,
        )
        return child

    async def read(self) -> bytes:
        """The next bytes of its output; none at the end."""
        while not self._parts:
            if self._ended:
                return b""
            self._news.clear()
            await self._news.wait()
        part = self._parts.popleft()
        self._held -= len(part)
        if self._held < HELD // 2:
            self._pipe_out(lambda pipe: pipe.resume_reading())
        return part

    async def write(self, data: bytes) -> None:
        """Writes to its input, and waits while it does not read. Raises: BrokenPipeError where it has gone."""
        pipe = cast("asyncio.WriteTransport | None", self._transport.get_pipe_transport(_IN))
        if pipe is None or pipe.is_closing() or self._exited.is_set():
            raise BrokenPipeError
        pipe.write(data)
        await self._writable.wait()

    async def close(self) -> None:
        """Ends it and its group, in at most twice `PATIENCE`; whoever is left then is killed, also when cancelled."""
        self._closing = True
        try:
            with anyio.CancelScope(shield=True):
                self._pipe_out(lambda pipe: pipe.resume_reading())  # a child that can't write can't end
                if (pipe := self._transport.get_pipe_transport(_IN)) is not None:
                    pipe.close()
                await self._end_by_and_by()
        finally:
            self._signal(signal.SIGKILL)
            with contextlib.suppress(PermissionError):  # a child that became another user's
                self._transport.close()
        await _within(self._closed, PATIENCE / 2)

    async def _end_by_and_by(self) -> None:
        for patience, word in ((PATIENCE, signal.SIGTERM), (PATIENCE / 2, signal.SIGKILL)):
            if await _within(self._exited, patience):
                return
            self._signal(word)
        await _within(self._exited, PATIENCE / 2)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == _ERRORS:
            self._errors(data)
        elif not self._closing:
            self._parts.append(data)
            self._held += len(data)
            self._news.set()
            if self._held > HELD:
                self._pipe_out(lambda pipe: pipe.pause_reading())

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == _OUT:
            self._end()
        elif fd == _IN:
            self._writable.set()

    def pause_writing(self) -> None:
        """The child does not read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The child reads again."""
        self._writable.set()

    def process_exited(self) -> None:
        self._signal(signal.SIGKILL)  # its own children must not outlive it
        self._exited.set()
        self._writable.set()
        asyncio.get_running_loop().call_later(_LAST_WORDS, self._end)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        self._closed.set()

    def _end(self) -> None:
        self._ended = True
        self._news.set()

    def _signal(self, word: signal.Signals) -> None:
        """To the whole group. Once the child has ended, its number may become another's: all was done by then."""
        if not self._exited.is_set():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._transport.get_pid(), word)

    def _pipe_out(self, act: Callable[[asyncio.ReadTransport], None]) -> None:
        pipe = cast("asyncio.ReadTransport | None", self._transport.get_pipe_transport(_OUT))
        if pipe is not None and not pipe.is_closing():
            act(pipe)


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
