"""`Channel`: requests to authorization servers, each on a connection of its own, under the guard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx2

from mcpbridge.auth.oauth.checks import is_loopback
from mcpbridge.auth.oauth.errors import unavailable
from mcpbridge.net.failures import lost, overdue, oversized
from mcpbridge.net.fetch import web_url
from mcpbridge.net.guard import ANYWHERE, PUBLIC, Guard
from mcpbridge.net.limits import KIB, Limits
from mcpbridge.net.pool import Pool
from mcpbridge.net.reading import CODINGS, TooLarge, read_body
from mcpbridge.net.redirect import MOST, origin, redirected
from mcpbridge.net.upstream import checked_transport, where
from mcpbridge.tools import Json

LIMITS: Final = Limits(deadline=10.0, connect=5.0, answer=256 * KIB)
"""For one request to an authorization server."""

_LOOPBACK: Final = Guard(["127.0.0.0/8", "::1"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """A whole answer of any status."""

    status: int
    headers: httpx2.Headers
    content: bytes


class Channel:
    """Reaches authorization servers. It holds no connection, since it is needed once in a while.

    named      URLs that the host itself named: their origins may be at any address, where `guard` is None. Where one
               of them is on a loopback address, what they name may be there too, also by http
    guard      for everything, where the named URLs are somebody else's
    transport  the host's own, which is not guarded and stays open

    Redirects are followed for GET and inside the origin only.
    """

    def __init__(
        self,
        *,
        named: Collection[str] = (),
        guard: Guard | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        self.loopback = any(map(is_loopback, named))
        self.limits = limits
        self._named = {origin(web_url(url)) for url in named} if guard is None else set[object]()
        self._guard = guard or (_LOOPBACK if self.loopback else PUBLIC)
        self._transport = None if transport is None else checked_transport(transport)

    async def get(self, url: str) -> Said:
        """What stands at a URL. Raises: UpstreamError."""
        return await self._said(httpx2.Request("GET", url, headers={"Accept": "application/json"}))

    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Said:
        """The answer to a form. Raises: UpstreamError."""
        shown = {"Accept": "application/json", **(headers or {})}
        return await self._said(httpx2.Request("POST", url, data=dict(form), headers=shown))

    async def post_json(self, url: str, document: Json) -> Said:
        """The answer to a JSON document. Raises: UpstreamError."""
        return await self._said(httpx2.Request("POST", url, json=document, headers={"Accept": "application/json"}))

    async def _said(self, request: httpx2.Request) -> Said:
        place = where(request.url)
        request.headers.update({"Accept-Encoding": CODINGS, "User-Agent": "mcpbridge"})
        request.extensions["timeout"] = {"connect": self.limits.connect, "pool": None, "read": None, "write": None}
        deadline = asyncio.timeout(self.limits.deadline)
        try:
            async with deadline, self._opened(request.url) as transport:
                return await self._answer(transport, request)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise unavailable(overdue(place, self.limits, status=None)) from None
        except httpx2.HTTPError as error:
            raise unavailable(lost(error, place, status=None, left=False)) from error
        except TooLarge:
            raise unavailable(oversized(place, self.limits, 200)) from None

    async def _answer(self, transport: httpx2.AsyncBaseTransport, request: httpx2.Request) -> Said:
        for _ in range(MOST):
            said, following = await self._exchange(transport, request)
            if following is None:
                return said
            request = following
        return (await self._exchange(transport, request))[0]

    async def _exchange(
        self, transport: httpx2.AsyncBaseTransport, request: httpx2.Request
    ) -> tuple[Said, httpx2.Request | None]:
        """The answer, and the request that it redirects to, where that is followed."""
        response = await transport.handle_async_request(request)
        response.request = request
        async with aclosing(response):
            content = await read_body(response, self.limits.answer)
        following = redirected(request, response) if request.method == "GET" else None
        return Said(status=response.status_code, headers=response.headers, content=content), following

    @asynccontextmanager
    async def _opened(self, url: httpx2.URL) -> AsyncGenerator[httpx2.AsyncBaseTransport]:
        if self._transport is not None:
            yield self._transport
            return
        pool = Pool(self.limits, guard=ANYWHERE if origin(url) in self._named else self._guard)
        try:
            yield pool
        finally:
            await pool.aclose()
