"""`client_certificate`: mutual TLS, with a certificate that can be replaced while calls are under way."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from typing import cast

import httpx2

from mcpbridge.auth.certificate_context import client_context
from mcpbridge.net.guard import ANYWHERE, Guard
from mcpbridge.net.limits import Limits
from mcpbridge.net.pool import Pool
from mcpbridge.secret import MASK, Secret


def client_certificate(
    cert: str | Secret,
    key: str | Secret,
    password: str | Secret | None = None,
    *,
    roots: str | None = None,
    limits: Limits | None = None,
    guard: Guard = ANYWHERE,
) -> CertificateTransport:
    """A transport that shows a certificate: `RestSource(…, transport=client_certificate(cert, key))`.

    It is the `transport` of a `RestSource` or `httpx2.AsyncClient`, and the `http` of an `McpSource`; beside it, `auth`
    signs as always. An `McpSource` does not close it: use `async with` or `aclose`.

    cert, key   PEM texts, not paths; `cert` with the chain behind it, as the server wants it
    password    of a key that is encrypted
    roots       PEM of the authorities whose servers are trusted; None: the system's
    limits      as those of the source; an `McpSource` takes a connection for each session's stream of news
    guard       which addresses may be connected to

    Raises: ConfigError for what is no PEM, a key of another certificate, and a passphrase that is not the key's.
    """
    context = client_context(cert, key, password=password, roots=roots)
    return CertificateTransport(context, roots=roots, limits=limits or Limits(), guard=guard)


class CertificateTransport(httpx2.AsyncBaseTransport):
    """Connections that show a client's certificate. Made by `client_certificate`."""

    def __init__(self, context: ssl.SSLContext, *, roots: str | None, limits: Limits, guard: Guard) -> None:
        self._roots = roots
        self._limits = limits
        self._guard = guard
        self._present = self._opened(context)
        self._former: set[_Drained] = set()

    @property
    def context(self) -> ssl.SSLContext:
        """The TLS context of new connections, for other clients: `httpx2.Client(verify=…)`."""
        return self._present.context

    async def rotate(self, cert: str | Secret, key: str | Secret, password: str | Secret | None = None) -> None:
        """Shows another certificate from the next connection on; each new request opens one, or uses one like it.

        What is under way ends with the old one; then its connections are closed, idle ones at once where nothing is.
        The sessions of an `McpSource` go on until `McpSource.reconnect()`.

        Raises: ConfigError, and the old certificate stays.
        """
        former = self._present
        self._present = self._opened(client_context(cert, key, password=password, roots=self._roots))
        self._former = {each for each in self._former if each.under_way} | {former}
        await former.retire()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.scheme != "https":
            raise httpx2.UnsupportedProtocol("a client certificate is shown over https alone")
        return await self._present.send(request)

    async def aclose(self) -> None:
        for each in (self._present, *self._former):
            await each.pool.aclose()
        self._former.clear()

    def _opened(self, context: ssl.SSLContext) -> _Drained:
        return _Drained(context, Pool(self._limits, guard=self._guard, context=context))

    def __repr__(self) -> str:
        return f"client_certificate({MASK!r}, {MASK!r})"


class _Drained:
    """A pool that is closed when it is retired and its last answer was read."""

    def __init__(self, context: ssl.SSLContext, pool: Pool) -> None:
        self.context = context
        self.pool = pool
        self.under_way = 0
        self._retired = False

    async def send(self, request: httpx2.Request) -> httpx2.Response:
        self.under_way += 1
        try:
            answer = await self.pool.handle_async_request(request)
        except BaseException:
            await self.leave()
            raise
        stream = _Leaving(cast("httpx2.AsyncByteStream", answer.stream), self)
        return httpx2.Response(answer.status_code, headers=answer.headers, stream=stream, extensions=answer.extensions)

    async def retire(self) -> None:
        self._retired = True
        if not self.under_way:
            await self.pool.aclose()

    async def leave(self) -> None:
        self.under_way -= 1
        if self._retired and not self.under_way:
            await self.pool.aclose()


class _Leaving(httpx2.AsyncByteStream):
    """A body whose end is told."""

    def __init__(self, body: httpx2.AsyncByteStream, pool: _Drained) -> None:
        self._body = body
        self._pool: _Drained | None = pool

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        async for part in self._body:
            yield part

    async def aclose(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                await self._body.aclose()
            finally:
                await pool.leave()
