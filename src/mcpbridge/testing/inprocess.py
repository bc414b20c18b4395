"""`InProcess`: an ASGI application as an `httpx2` transport, with answers that stream and connections that break."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from starlette.types import ASGIApp, Message

from mcpbridge.testing.wire import ABORT


class InProcess(httpx2.AsyncBaseTransport):
    """Calls the application in this event loop, without a network.

    Unlike `httpx2.ASGITransport` it gives the answer's body piece by piece, and a connection that the application
    aborts is an error of the transport, as it would be over a network.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        exchange = _Exchange(self._app, request, await request.aread())
        return await exchange.answer()


class _Exchange(httpx2.AsyncByteStream):
    """One request, and its answer's body."""

    def __init__(self, app: ASGIApp, request: httpx2.Request, body: bytes) -> None:
        self._sent: asyncio.Queue[Message | None] = asyncio.Queue()
        self._body: bytes | None = body
        self._gone = asyncio.Event()
        self._ended = False
        self._task = asyncio.ensure_future(self._run(app, _scope(request, self._gone.set)))

    async def answer(self) -> httpx2.Response:
        try:
            start = await self._sent.get()
        except asyncio.CancelledError:
            await self.aclose()
            raise
        if start is None:
            await self.aclose()
            raise httpx2.RemoteProtocolError("Server disconnected without sending a response.")
        return httpx2.Response(start["status"], headers=start["headers"], stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (message := await self._sent.get()) is not None:
            if body := message.get("body", b""):
                yield body
            if not message.get("more_body", False):
                self._ended = True
                return
        raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")

    async def aclose(self) -> None:
        self._gone.set()
        if not self._ended:
            self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._sent.put)
        finally:
            self._sent.put_nowait(None)

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        with contextlib.suppress(asyncio.CancelledError):
            await self._gone.wait()
        return {"type": "http.disconnect"}


def _scope(request: httpx2.Request, abort: Any) -> dict[str, Any]:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.split(b"?")[0],
        "query_string": url.query,
        "server": (url.host, url.port),
        "client": ("127.0.0.1", 123),
        "root_path": "",
        "extensions": {ABORT: abort},
    }
