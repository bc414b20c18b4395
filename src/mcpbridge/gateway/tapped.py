"""What goes over the wire of one call, kept for a person to read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

import httpx2

from mcpbridge.net.curl import as_curl
from mcpbridge.net.reading import read_body
from mcpbridge.secret import MASK

_CODED = {"content-encoding", "content-length", "transfer-encoding"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """One request, its whole answer, and how many seconds that took."""

    request: httpx2.Request
    status: int
    kind: str
    content: bytes
    seconds: float


class Tapped(httpx2.AsyncBaseTransport):
    """A transport that keeps the last exchange; of an answer at most `cap` bytes are read."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, cap: int) -> None:
        self.last: Exchange | None = None
        self._inner = inner
        self._cap = cap

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.last = None
        begun = time.perf_counter()
        response = await self._inner.handle_async_request(request)
        response.request = request
        try:
            content = await read_body(response, self._cap)
        finally:
            await response.aclose()
        kind = response.headers.get("content-type", "")
        self.last = Exchange(
            request=request,
            status=response.status_code,
            kind=kind,
            content=content,
            seconds=time.perf_counter() - begun,
        )
        kept = [pair for pair in response.headers.multi_items() if pair[0].lower() not in _CODED]
        return httpx2.Response(response.status_code, headers=kept, content=content, request=request)

    async def aclose(self) -> None:
        await self._inner.aclose()


class Caught(httpx2.AsyncBaseTransport):
    """A transport that sends nothing: it keeps the request, and answers with an empty 204."""

    def __init__(self) -> None:
        self.request: httpx2.Request | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self.request = request
        return httpx2.Response(204, request=request)


def masked_curl(plain: httpx2.Request, sent: httpx2.Request | None) -> str:
    """The request as curl. `plain` is it before the integration put anything in; what `sent` has more is masked."""
    if sent is None:
        return as_curl(plain, {})
    given, headers = {*plain.headers.multi_items()}, httpx2.Headers(plain.headers)
    shown: dict[str, str] = {}
    for name, value in sent.headers.multi_items():
        if (name, value) not in given:
            headers[name] = shown[name.lower()] = MASK
    return as_curl(httpx2.Request(plain.method, _url(plain, sent), headers=headers, content=plain.content), shown)


def _url(plain: httpx2.Request, sent: httpx2.Request) -> str:
    """The URL, with each member of the query that was put in, by its name alone."""
    before = parse_qsl(plain.url.query.decode("ascii"), keep_blank_values=True)
    after = parse_qsl(sent.url.query.decode("ascii"), keep_blank_values=True)
    more = urlencode([(name, MASK) for name, value in after if (name, value) not in before], safe="*")
    return f"{plain.url}{'&' if before else '?'}{more}" if more else str(plain.url)
