"""`Fetcher`: what is read from a URL, with no credential, under the guard at every hop."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx2

from mcpbridge.errors import ConfigError, Failure, UpstreamError
from mcpbridge.net.failures import lost, overdue, oversized
from mcpbridge.net.guard import ANYWHERE, PUBLIC, Guard
from mcpbridge.net.limits import Limits
from mcpbridge.net.pool import Pool
from mcpbridge.net.reading import CODINGS, TooLarge, read_body
from mcpbridge.net.redirect import MOST, origin
from mcpbridge.net.upstream import where
from mcpbridge.net.wire import Resolve, resolve

_ACCEPT = "application/json, application/yaml, text/yaml, */*;q=0.5"
_MOVED = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """An answer of any status, and the URL that it came from in the end."""

    url: str
    status: int
    content: bytes
    headers: httpx2.Headers


class Fetcher:
    """Reads documents. Entered once; its connections close when it is left.

    named   URLs whose origins the host named: those may be at any address
    guard   for every other address, such as one that a redirect names
    limits  `description` is the most bytes of one answer, `parse` the seconds for it with all its redirects
    """

    def __init__(
        self,
        named: Collection[str] = (),
        *,
        guard: Guard = PUBLIC,
        limits: Limits | None = None,
        resolve: Resolve = resolve,
    ) -> None:
        self.limits = limits or Limits()
        self._named = {origin(web_url(url)) for url in named}
        self._open = Pool(self.limits, guard=ANYWHERE, resolve=resolve)
        self._guarded = Pool(self.limits, guard=guard, resolve=resolve)

    async def fetch(self, url: str) -> Fetched:
        """What stands at a URL, redirects followed.

        Raises: UpstreamError; `address_refused` where the guard stopped it, `redirect_refused` for one that leads to
        no web address or out of TLS.
        """
        place = web_url(url)
        deadline = asyncio.timeout(self.limits.parse)
        limits = _as_answer(self.limits)
        try:
            async with deadline:
                return await self._follow(place)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise UpstreamError(overdue(where(place), limits, status=None)) from None
        except httpx2.HTTPError as error:
            raise UpstreamError(lost(error, where(place), status=None, left=False)) from error
        except TooLarge:
            raise UpstreamError(oversized(where(place), limits, 200)) from None

    async def _follow(self, url: httpx2.URL) -> Fetched:
        for _ in range(MOST + 1):
            response = await self._get(url)
            async with aclosing(response):
                content = await read_body(response, self.limits.description)
            place = response.headers.get("location")
            if response.status_code not in _MOVED or place is None:
                return Fetched(url=str(url), status=response.status_code, content=content, headers=response.headers)
            url = _next(url, place)
        raise UpstreamError(_refused(url, f"redirects more than {MOST} times"))

    async def _get(self, url: httpx2.URL) -> httpx2.Response:
        pool = self._open if origin(url) in self._named else self._guarded
        headers = {"Accept": _ACCEPT, "Accept-Encoding": CODINGS, "User-Agent": "mcpbridge"}
        timeout = {"connect": self.limits.connect, "pool": self.limits.connect, "read": None, "write": None}
        request = httpx2.Request("GET", url, headers=headers, extensions={"timeout": timeout})
        response = await pool.handle_async_request(request)
        response.request = request
        return response

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()
        await self._guarded.aclose()


async def fetch(url: str, *, limits: Limits | None = None) -> Fetched:
    """What stands at a URL that the host names. Raises: UpstreamError."""
    async with Fetcher([url], limits=limits) as fetcher:
        return await fetcher.fetch(url)


def web_url(url: str) -> httpx2.URL:
    """Raises: ConfigError for what is no address of the web."""
    try:
        parts = httpx2.URL(url)
    except (httpx2.InvalidURL, TypeError) as error:
        raise ConfigError(f"{url!r} is no URL ({error}); write it as https://host/path") from error
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise ConfigError(f"{url!r} is no absolute http(s) URL; write it as https://host/path")
    return parts


def _next(url: httpx2.URL, place: str) -> httpx2.URL:
    """Where a redirect leads. Raises: UpstreamError for no web address, and for one that gives up TLS."""
    target = urljoin(str(url), place)
    scheme = urlsplit(target).scheme
    if scheme not in {"http", "https"} or (url.scheme == "https" and scheme == "http"):
        raise UpstreamError(_refused(url, f"redirects to {scheme}:, which is not followed"))
    try:
        return web_url(target)
    except ConfigError:
        raise UpstreamError(_refused(url, "redirects to what is no URL")) from None


def _refused(url: httpx2.URL, what: str) -> Failure:
    return Failure(
        code="redirect_refused",
        message=f"{where(url)} {what}",
        hint="Name the address that it leads to, if you trust it, or save the document to a file.",
        sent="yes",
    )


def _as_answer(limits: Limits) -> Limits:
    """The limits by which failures of a fetch are told."""
    return Limits(deadline=limits.parse, answer=limits.description, connect=limits.connect)
