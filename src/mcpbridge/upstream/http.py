"""HTTP to an upstream, below `mcp.Client`, on a transport that never raises: see `mcpbridge.upstream.carried`."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final, cast

import httpx2

from mcpbridge.errors import AuthRequired, Failure, UpstreamError
from mcpbridge.net.failures import lost, overdue, oversized
from mcpbridge.net.limits import Limits
from mcpbridge.net.masking import Unsigned, masked
from mcpbridge.net.reading import CODINGS, TooLarge, read_body
from mcpbridge.net.upstream import where
from mcpbridge.source.answer import failure_of
from mcpbridge.tools import ANYONE, Caller
from mcpbridge.upstream.carried import error_with
from mcpbridge.upstream.events import Events
from mcpbridge.upstream.failures import refused, session_lost, unsigned

CALLER_KEY: Final = "mcpbridge.caller"
"""Where a request's extensions hold who calls, for strategies that send each caller's own credential."""

LEAVING: Final = 2.0
"""Seconds for telling a server that its session is over; it may be long gone."""

_OF_BODY = frozenset({"content-encoding", "content-length", "transfer-encoding", "set-cookie"})
_SESSION = "mcp-session-id"
_METHOD = re.compile(rb'"method":"([^"\\]*)"')
_GONE = frozenset({"unreachable", "connection_lost", "session_lost"})


@dataclass(kw_only=True, slots=True)
class Peer:
    """Whom a connection is for, and whom to tell that its session is over."""

    caller: Caller = ANYONE
    ended: Callable[[], None] = field(default=lambda: None)


class AnsweringTransport(httpx2.AsyncBaseTransport):
    """Signs requests, sends them, and answers whatever goes wrong instead of raising.

    The strategy signs here, below the client, which would log the address with a key in it. It wins over `headers`.
    `calls` and `streams` are the pools beneath; streams that stay open take no connection from calls. Both stay open.
    """

    def __init__(
        self,
        calls: httpx2.AsyncBaseTransport,
        streams: httpx2.AsyncBaseTransport,
        *,
        auth: httpx2.Auth | None,
        headers: Mapping[str, str],
        limits: Limits,
        peer: Peer,
    ) -> None:
        self._calls = calls
        self._streams = streams
        self._auth = auth
        self._headers = headers
        self._limits = limits
        self._peer = peer

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._answer(request)
        if isinstance(answer, httpx2.Response):
            return answer
        if request.method == "GET" and answer.code in _GONE and _SESSION in request.headers:
            self._peer.ended()
        return response_with(answer, request)

    async def aclose(self) -> None:
        """Leaves the pools to their owner."""

    async def _answer(self, request: httpx2.Request) -> httpx2.Response | Failure:
        request.headers["Accept-Encoding"] = CODINGS
        request.headers.update(self._headers)
        request.extensions[CALLER_KEY] = self._peer.caller
        sending = _Sending(self, request)
        try:
            async with asyncio.timeout(self._deadline(request)):
                return await sending.answer()
        except TimeoutError:
            return overdue(sending.place, self._limits, status=sending.status)
        except httpx2.HTTPError as error:
            return lost(error, sending.place, status=sending.status, left=sending.left)
        except (AuthRequired, UpstreamError) as error:
            return failure_of(error)
        except Exception as error:  # noqa: BLE001 - a strategy of the host may raise anything, and must not end the session
            return unsigned(error, sending.place, left=sending.left)

    def _deadline(self, request: httpx2.Request) -> float | None:
        """A GET is the stream of what the server says by itself, open as long as the session."""
        if request.method == "GET":
            return None
        return LEAVING if request.method == "DELETE" else self._limits.deadline

    def cap(self, request: httpx2.Request) -> int:
        """A listing describes a whole server; everything else is one answer."""
        return self._limits.description if _method(request).endswith(b"/list") else self._limits.answer

    @property
    def auth(self) -> httpx2.Auth | None:
        """What signs."""
        return self._auth

    @property
    def limits(self) -> Limits:
        """The bounds."""
        return self._limits

    async def exchange(self, request: httpx2.Request) -> httpx2.Response:
        """One request on the wire."""
        endless = request.method == "GET" or _method(request) == b"subscriptions/listen"
        response = await (self._streams if endless else self._calls).handle_async_request(request)
        response.request = request
        return response


class _Sending:
    """One request on its way."""

    def __init__(self, transport: AnsweringTransport, request: httpx2.Request) -> None:
        self._transport = transport
        self._request = request
        self._credentials: set[str] = set()
        self.place = where(request.url)
        self.status: int | None = None
        self.left = False

    async def answer(self) -> httpx2.Response | Failure:
        """The response as the SDK reads it without raising: whole JSON under the cap, or a stream of events."""
        response = await self._signed(self._request)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.status_code < 400 and kind == "text/event-stream":
            return self._events(response)
        cap = self._transport.cap(self._request)
        try:
            body = self._clean(await read_body(response, cap))
        except TooLarge:
            return oversized(self.place, self._transport.limits, response.status_code)
        finally:
            await response.aclose()
        if response.status_code >= 400:
            if _SESSION in self._request.headers and _is_of_session(response.status_code, body):
                return session_lost(self.place, response.status_code)
            if not _is_rpc_error(body):
                return refused(response, self.place)
        return httpx2.Response(response.status_code, headers=_kept(response), content=body, request=response.request)

    def _events(self, response: httpx2.Response) -> httpx2.Response:
        if "," in response.headers.get("content-encoding", ""):
            raise httpx2.DecodingError("one coding upon another")
        cap = self._transport.cap(self._request)
        over = oversized(self.place, self._transport.limits, response.status_code)
        events = Events(response, self.place, most=cap, over=over, clean=self._clean)
        return httpx2.Response(response.status_code, headers=_kept(response), stream=events, request=response.request)

    async def _signed(self, request: httpx2.Request) -> httpx2.Response:
        auth = self._transport.auth
        if auth is None:
            return await self._exchange(request)
        before = Unsigned.of(request)
        async with aclosing(auth.async_auth_flow(request)) as flow:
            request = await anext(flow)
            while True:
                self._credentials.update(before.credentials(request))
                response = await self._exchange(request)
                if auth.requires_response_body:
                    response = await self._whole(response)
                try:
                    request = await flow.asend(response)
                except StopAsyncIteration:
                    return response
                await response.aclose()

    async def _whole(self, response: httpx2.Response) -> httpx2.Response:
        """The response with its body read under the cap, for strategies that look at it."""
        content = await read_body(response, self._transport.cap(self._request))
        await response.aclose()
        return httpx2.Response(response.status_code, headers=_kept(response), content=content, request=response.request)

    async def _exchange(self, request: httpx2.Request) -> httpx2.Response:
        self.status = None
        response = await self._transport.exchange(request)
        self.status, self.left = response.status_code, True
        return response

    def _clean(self, said: bytes) -> bytes:
        """What a server said, without the credentials that it says back in an error."""
        return masked(said, self._credentials) if self._credentials and b'"error"' in said else said


def response_with(failure: Failure, request: httpx2.Request) -> httpx2.Response:
    """A response that carries a failure of ours; its status makes the SDK read the body as an error."""
    error = error_with(failure).model_dump(mode="json")
    status = failure.status if failure.status and failure.status >= 400 else 503
    return httpx2.Response(status, json={"jsonrpc": "2.0", "id": None, "error": error}, request=request)


def _kept(response: httpx2.Response) -> list[tuple[str, str]]:
    """The headers that still hold, without cookies: one caller's must not go out with another's call."""
    return [pair for pair in response.headers.multi_items() if pair[0].lower() not in _OF_BODY]


def _method(request: httpx2.Request) -> bytes:
    """The method in a JSON-RPC message of the SDK's, which writes it before anything that a caller says."""
    found = _METHOD.search(request.content, 0, 200) if request.method == "POST" else None
    return found[1] if found else b""


def _is_of_session(status: int, body: bytes) -> bool:
    """Whether a server refuses a session that it does not know: by 404 (MCP 2025-11-25, transports), some by 400."""
    return status == 404 or (status == 400 and b"session" in body.lower())


def _is_rpc_error(body: bytes) -> bool:
    try:
        shown: Any = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(shown, dict):
        return False
    message = cast("dict[str, Any]", shown)
    return message.get("jsonrpc") == "2.0" and isinstance(message.get("error"), dict)
