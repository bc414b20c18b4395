"""Streamable HTTP to an upstream, on a transport that never raises.

One exception below `mcp.Client` ends the whole session, with the calls of everybody in it. So whatever fails on the way
is answered with a JSON-RPC error that carries our `Failure`, and only the request that it belongs to hears of it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final, cast

import httpx2
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR

from mcpbridge.errors import Failure
from mcpbridge.net.failures import lost, overdue, oversized
from mcpbridge.net.limits import Limits
from mcpbridge.net.reading import CODINGS, TooLarge, read_body
from mcpbridge.net.tls import shared_context
from mcpbridge.net.upstream import where
from mcpbridge.openapi.refusal import phrase, retry_after

_MARK: Final = f"mcpbridge-{secrets.token_hex(8)}"
"""Where a failure of ours stands in an error's data; an upstream can't know the word, so it can't write one."""

_CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found_upstream", 429: "rate_limited"}
_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
_OF_BODY = frozenset({"content-encoding", "content-length", "transfer-encoding", "set-cookie"})


@asynccontextmanager
async def http_streams(
    url: str, *, auth: httpx2.Auth | None, headers: Mapping[str, str], limits: Limits
) -> AsyncGenerator[Any]:
    """The read and write streams of a connection to a server over streamable HTTP."""
    timeout = httpx2.Timeout(None, connect=limits.connect, pool=limits.connect)
    client = httpx2.AsyncClient(transport=AnsweringTransport(auth, headers, limits), timeout=timeout, trust_env=False)
    async with (
        client,
        streamable_http_client(url, http_client=client, max_sse_event_size=limits.description) as streams,
    ):
        yield streams


def failure_in(error: MCPError) -> Failure | None:
    """The failure of ours that an error carries."""
    data: Any = error.error.data
    shown = cast("dict[str, Any]", data).get(_MARK) if isinstance(data, dict) else None
    return Failure.from_json(cast("Mapping[str, Any]", shown)) if isinstance(shown, dict) else None


class AnsweringTransport(httpx2.AsyncBaseTransport):
    """Signs requests, sends them, and answers whatever goes wrong instead of raising.

    The strategy signs here, below the client, which would log the address with a key in it. It wins over `headers`.
    """

    def __init__(
        self,
        auth: httpx2.Auth | None,
        headers: Mapping[str, str],
        limits: Limits,
        inner: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._auth = auth
        self._headers = headers
        self._limits = limits
        self._inner = inner or _pool(limits)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Accept-Encoding"] = CODINGS
        request.headers.update(self._headers)
        place = where(request.url)
        # a GET is the stream of what the server says by itself, open as long as the session
        deadline = asyncio.timeout(None if request.method == "GET" else self._limits.deadline)
        status: int | None = None
        try:
            async with deadline:
                response = await self._signed(request)
                status = response.status_code
                return await self._readable(response, place)
        except TimeoutError:
            return _failed(request, 504, overdue(place, self._limits, status=status))
        except httpx2.HTTPError as error:
            return _failed(request, 503, lost(error, place, status=status, left=False))
        except Exception as error:  # noqa: BLE001 - a strategy of the host may raise anything, and must not end the session
            return _failed(request, 401, _unsigned(error, place))

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _signed(self, request: httpx2.Request) -> httpx2.Response:
        if self._auth is None:
            return await self._exchange(request)
        async with aclosing(self._auth.async_auth_flow(request)) as flow:
            request = await anext(flow)
            while True:
                response = await self._exchange(request)
                if self._auth.requires_response_body:
                    await response.aread()
                try:
                    request = await flow.asend(response)
                except StopAsyncIteration:
                    return response
                await response.aclose()

    async def _exchange(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        response.request = request
        return response

    async def _readable(self, response: httpx2.Response, place: str) -> httpx2.Response:
        """The response as the SDK reads it without raising: whole JSON under the cap, or a stream of events."""
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        response.headers.pop("set-cookie", None)  # one caller's cookie must not go out with another's call
        if response.status_code < 400 and kind != "application/json":
            return response
        try:
            body = await read_body(response, self._cap(response.request))
        except TooLarge:
            return _failed(response.request, 502, oversized(place, self._limits, response.status_code))
        finally:
            await response.aclose()
        if response.status_code >= 400 and not _is_rpc_error(body):
            return _failed(response.request, response.status_code, _refused(response, place))
        kept = [pair for pair in response.headers.multi_items() if pair[0].lower() not in _OF_BODY]
        return httpx2.Response(response.status_code, headers=kept, content=body, request=response.request)

    def _cap(self, request: httpx2.Request) -> int:
        """A listing describes a whole server; everything else is one answer."""
        return self._limits.description if b'/list"' in request.content[:200] else self._limits.answer


def _is_rpc_error(body: bytes) -> bool:
    try:
        shown: Any = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(shown, dict):
        return False
    message = cast("dict[str, Any]", shown)
    return message.get("jsonrpc") == "2.0" and isinstance(message.get("error"), dict)


def _failed(request: httpx2.Request, status: int, failure: Failure) -> httpx2.Response:
    error = {"code": INTERNAL_ERROR, "message": failure.message, "data": {_MARK: failure.to_json()}}
    return httpx2.Response(status, json={"jsonrpc": "2.0", "id": None, "error": error}, request=request)


def _refused(response: httpx2.Response, place: str) -> Failure:
    status = response.status_code
    challenge = response.headers.get("www-authenticate")
    return Failure(
        code=_CODES.get(status) or ("upstream_error" if status >= 500 else "upstream_status"),
        message=f"{place} answered {status} {phrase(status)}",
        hint="The gateway's credential was not accepted. An operator has to renew it." if status in (401, 403) else "",
        retryable=status in _RETRYABLE,
        retry_after=retry_after(response.headers, None),
        status=status,
        sent="yes",
        details={"www_authenticate": challenge} if challenge else {},
    )


def _unsigned(error: Exception, place: str) -> Failure:
    return Failure(
        code="auth_failed",
        message=f"a request to {place} could not be signed or sent ({type(error).__name__})",
        hint="An operator has to check the credential of this upstream.",
    )


def _pool(limits: Limits) -> httpx2.AsyncHTTPTransport:
    sizes = httpx2.Limits(
        max_connections=limits.connections, max_keepalive_connections=limits.idle, keepalive_expiry=30.0
    )
    return httpx2.AsyncHTTPTransport(verify=shared_context(), limits=sizes)
