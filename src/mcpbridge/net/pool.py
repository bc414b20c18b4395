"""`Pool`: the connections to one upstream, as an `httpx2` transport over our own network."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from typing import Any, Final, cast

import httpcore2
import httpx2

from mcpbridge.net.guard import ANYWHERE, Guard
from mcpbridge.net.limits import Limits
from mcpbridge.net.quiet import keep_headers_out_of_logs
from mcpbridge.net.tls import shared_context
from mcpbridge.net.wire import Network, Resolve, resolve

KEPT = 30.0
"""Seconds that an idle connection is kept: less than what servers commonly allow."""


class Pool(httpx2.AsyncBaseTransport):
    """Keeps a few idle connections, opens as many as `limits` say, and goes only where the guard lets it.

    HTTP/1.1, the system's roots of trust or those of `context`, no proxy, nothing from the environment.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        guard: Guard = ANYWHERE,
        resolve: Resolve = resolve,
        context: ssl.SSLContext | None = None,
    ) -> None:
        keep_headers_out_of_logs()
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context or shared_context(),
            max_connections=limits.connections,
            max_keepalive_connections=limits.idle,
            keepalive_expiry=KEPT,
            network_backend=Network(guard, resolve),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        sent = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=cast("httpx2.AsyncByteStream", request.stream),
            extensions=request.extensions,
        )
        with _told():
            answer = await self._pool.handle_async_request(sent)
        extensions = cast("Any", answer).extensions
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=extensions)

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        with _told():
            async for part in self._answer.aiter_stream():
                yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


_ERRORS: Final[tuple[tuple[type[Exception], type[httpx2.TransportError]], ...]] = (
    (httpcore2.ConnectTimeout, httpx2.ConnectTimeout),
    (httpcore2.ReadTimeout, httpx2.ReadTimeout),
    (httpcore2.WriteTimeout, httpx2.WriteTimeout),
    (httpcore2.PoolTimeout, httpx2.PoolTimeout),
    (httpcore2.ConnectError, httpx2.ConnectError),
    (httpcore2.ReadError, httpx2.ReadError),
    (httpcore2.WriteError, httpx2.WriteError),
    (httpcore2.UnsupportedProtocol, httpx2.UnsupportedProtocol),
    (httpcore2.LocalProtocolError, httpx2.LocalProtocolError),
    (httpcore2.RemoteProtocolError, httpx2.RemoteProtocolError),
)


@contextmanager
def _told() -> Generator[None]:
    """httpcore2's errors are httpx2's, by the same names."""
    try:
        yield
    except (
        httpcore2.NetworkError,
        httpcore2.TimeoutException,
        httpcore2.ProtocolError,
        httpcore2.UnsupportedProtocol,
    ) as error:
        theirs = next((theirs for ours, theirs in _ERRORS if isinstance(error, ours)), httpx2.TransportError)
        raise theirs(str(error)) from error
