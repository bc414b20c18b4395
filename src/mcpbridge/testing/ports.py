"""An ASGI application on a free port of the loopback interface, in this event loop or in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from threading import Thread
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from mcpbridge.testing.wire import ABORT


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncGenerator[str, None]:
    """The base URL of the application, that answers in this event loop until the block ends."""
    with _bound() as bound:
        server = _server(app)
        task = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            yield _url(bound)
        finally:
            server.should_exit = True
            await task


@contextmanager
def running(app: ASGIApp) -> Generator[str, None, None]:
    """The same from a thread, for tests that are not asynchronous and for child processes."""
    with _bound() as bound:
        server = _server(app)
        thread = Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        try:
            yield _url(bound)
        finally:
            server.should_exit = True
            thread.join(timeout=5)


def _bound() -> socket.socket:
    """A socket that listens already, so that the first request waits instead of being refused."""
    bound = socket.socket(proto=socket.IPPROTO_TCP)  # by its number, else asyncio does not turn Nagle's delay off
    bound.bind(("127.0.0.1", 0))
    bound.listen()
    return bound


def _url(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}"


def _server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        _Abortable(app), http="h11", ws="none", log_level="critical", timeout_graceful_shutdown=1, proxy_headers=False
    )
    return uvicorn.Server(config)


class _Abortable:
    """Gives the application a way to reset the connection, that ASGI does not have."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            cycle: Any = getattr(send, "__self__")  # noqa: B009 - uvicorn's own object, that no type tells of
            scope = {**scope, "extensions": {**scope.get("extensions", {}), ABORT: cycle.transport.abort}}
        await self._app(scope, receive, send)
