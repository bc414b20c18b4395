"""Runs a server until its client leaves or the process is told to stop. The host has entered the source before.

A signal ends the serving, not the process: what the host entered is left in order, and the process ends by itself.
SIGINT is told to the host as KeyboardInterrupt, when the serving has ended.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from starlette.types import ASGIApp

from mcpbridge.server.asgi import drain

GRACE = 5
"""Seconds that calls under way have to end when the process is told to stop."""

_STOPS = (signal.SIGINT, signal.SIGTERM)


async def serve_stdio(server: Server[Any]) -> None:
    """Serves one client over standard input and output until it closes its side, or the process gets SIGINT or SIGTERM.

    What other code prints goes to standard error meanwhile.

    Raises: KeyboardInterrupt.
    """
    with _ending_input() as end, _told_to_stop(end) as told:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())
    _interrupted(told)


async def serve_http(app: ASGIApp, host: str, port: int) -> None:
    """Serves over HTTP until the process gets SIGINT or SIGTERM.

    Then nothing new is accepted, streams end, and calls under way have a few seconds to do so.

    Raises: KeyboardInterrupt.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        lifespan="on",
        timeout_graceful_shutdown=GRACE,
        server_header=False,
    )
    serving = _Draining(config, app)
    await serving.serve()
    _interrupted(serving.told)


class _Draining(uvicorn.Server):
    """Tells the application to end its streams, which else would be open until the grace is over."""

    def __init__(self, config: uvicorn.Config, app: ASGIApp) -> None:
        super().__init__(config)
        self.told: list[int] = []
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        draining = asyncio.create_task(drain(self._app), name="mcpbridge drain")
        try:
            await super().shutdown(sockets)
        finally:
            draining.cancel()
            await asyncio.wait({draining})

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.told.append(sig)
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Takes signals for itself. Uvicorn would raise them again at the end, and the process would die of them."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self.handle_exit) for each in _STOPS}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def _interrupted(told: Sequence[int]) -> None:
    if signal.SIGINT in told:
        raise KeyboardInterrupt


@contextmanager
def _told_to_stop(stop: Callable[[], None]) -> Generator[Sequence[int]]:
    """Calls `stop` in the event loop when the process gets a signal to end; gives those that it got."""
    loop = asyncio.get_running_loop()
    taken: list[signal.Signals] = []
    told: list[int] = []

    def hear(sig: int) -> None:
        told.append(sig)
        stop()

    with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or another thread: signals end the process
        for each in _STOPS:
            loop.add_signal_handler(each, hear, each)
            taken.append(each)
    try:
        yield told
    finally:
        for each in taken:
            loop.remove_signal_handler(each)


@contextmanager
def _ending_input() -> Generator[Callable[[], None]]:
    """Standard input that ends when the function given is called.

    The SDK reads it in a thread that nothing can wake but the end of the input. So it gets a socket of ours, which a
    thread that the process does not wait for fills from the real one.
    """
    if sys.platform == "win32":
        yield _nothing
        return
    kept = os.dup(0)
    filled, read = socket.socketpair()
    with read:
        os.dup2(read.fileno(), 0)
    threading.Thread(target=_fill, args=(filled, os.dup(kept)), name="mcpbridge stdin", daemon=True).start()
    try:
        yield lambda: _end(filled)
    finally:
        _end(filled)
        os.dup2(kept, 0)
        os.close(kept)


def _fill(filled: socket.socket, source: int) -> None:
    with suppress(OSError):  # the reader has gone, or the input
        while part := os.read(source, 65536):
            filled.sendall(part)
    _end(filled)


def _end(filled: socket.socket) -> None:
    with suppress(OSError):  # it was ended before
        filled.shutdown(socket.SHUT_RDWR)


def _nothing() -> None:
    """Signals end the process there."""
