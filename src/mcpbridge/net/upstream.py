"""`Upstream`: sends requests to one origin, under a total deadline and a byte cap; never raises for what it meets.

It stands on the transport alone, below the HTTP client: no cookie is kept, no URL is logged, no proxy or credential
comes from the environment, and the deadline covers the whole call instead of each read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

import httpx2

from mcpbridge.errors import AuthRequired, ConfigError, Failure, UpstreamError
from mcpbridge.net.failures import SigningFailed, lost, overdue, oversized, unsigned
from mcpbridge.net.guard import ANYWHERE, Guard
from mcpbridge.net.limits import Limits
from mcpbridge.net.masking import Unsigned, masked, masked_headers
from mcpbridge.net.pool import Pool
from mcpbridge.net.reading import CODINGS, TooLarge, read_body
from mcpbridge.net.redirect import MOST, redirected
from mcpbridge.net.turns import NoTurn, Turns
from mcpbridge.openapi.headers import TOKEN
from mcpbridge.openapi.plaintext import Unfit, checked_header
from mcpbridge.secret import Secret

_DEFAULTS = (("User-Agent", "mcpbridge"), ("Accept-Encoding", CODINGS))


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; `content` is decompressed and within the cap."""

    status: int
    headers: httpx2.Headers
    content: bytes


class Upstream:
    """One origin: its transport, the headers that go on every request, the strategy that signs, and the limits.

    `transport` is closed with it; without one, a pool of our own is opened over the shared TLS context, which goes
    where `guard` lets it. A strategy is any `httpx2.Auth`; it wins over `headers`, and both win over what a request
    brings.

    Raises: ConfigError for what can't be a transport, a strategy or a header.
    """

    def __init__(
        self,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        auth: httpx2.Auth | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        limits: Limits | None = None,
        guard: Guard = ANYWHERE,
    ) -> None:
        self.limits = limits or Limits()
        self._turns = Turns(self.limits)
        self.transport = Pool(self.limits, guard=guard) if transport is None else checked_transport(transport)
        self._own_pool = transport is None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.auth = None if auth is None else checked_auth(auth)
        self._headers = {name: Secret(text) for name, text in checked_headers(headers or {}).items()}
        self.secrets = [value for value in (headers or {}).values() if isinstance(value, Secret)]
        # Connecting ends before the deadline does, so that it is known that nothing has left.
        connect = min(self.limits.connect, self.limits.deadline * 0.9)
        self._timeout = {"connect": connect, "pool": connect, "read": None, "write": None}

    async def send(
        self, request: httpx2.Request, *, signed: bool = True, auth: httpx2.Auth | None = None
    ) -> Answer | Failure:
        """The answer, or why there is none.

        `signed=False` leaves the strategy out: this request needs no credential. `auth` is another one in its place.

        Raises: AuthRequired, where the strategy does; CancelledError; ConfigError in another event loop than that of
        the first call, whose connections it can't use.
        """
        if self._own_pool:
            self._stay_in_loop()
        for name, text in _DEFAULTS:
            request.headers.setdefault(name, text)
        request.headers.update({name: value.reveal() for name, value in self._headers.items()})
        request.extensions["timeout"] = self._timeout
        call = _Call(self, where(request.url), (auth or self.auth) if signed else None)
        deadline = asyncio.timeout(self.limits.deadline)
        try:
            async with deadline, self._turns:
                return await call.run(request)
        except NoTurn:
            return self._turns.failure(call.where)
        except (SigningFailed, UpstreamError) as failed:
            return unsigned(failed, call.where, left=call.left)
        except TimeoutError:
            if not deadline.expired():
                raise
            return overdue(call.where, self.limits, status=call.status)
        except httpx2.HTTPError as error:
            return lost(error, call.where, status=call.status, left=call.left)
        except TooLarge:
            return oversized(call.where, self.limits, call.status or 0)

    async def aclose(self) -> None:
        """Closes every connection; a later call opens new ones."""
        self._loop = None
        await self.transport.aclose()

    def _stay_in_loop(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise ConfigError("this source is used in another event loop; make one in each loop, or close it between")


class _Call:
    """One call on its way: the requests that the strategy and redirects make of it."""

    def __init__(self, upstream: Upstream, place: str, auth: httpx2.Auth | None) -> None:
        self.upstream = upstream
        self.where = place
        self.auth = auth
        self.secrets = {secret.reveal() for secret in upstream.secrets}
        self.status: int | None = None
        self.left = False

    async def run(self, request: httpx2.Request) -> Answer:
        response = await (self.follow(request) if self.auth is None else self.sign(self.auth, request))
        try:
            content = await self.read(response)
        finally:
            await response.aclose()
        if response.is_success or not self.secrets:
            return Answer(response.status_code, response.headers, content)
        headers = masked_headers(response.headers, self.secrets)
        return Answer(response.status_code, headers, masked(content, self.secrets))

    async def sign(self, auth: httpx2.Auth, request: httpx2.Request) -> httpx2.Response:
        """Drives the strategy's flow, as `httpx2.AsyncClient` does, but reads under the cap."""
        before = Unsigned.of(request)
        if auth.requires_request_body:
            await request.aread()
        async with aclosing(auth.async_auth_flow(request)) as flow:
            request = await _step(anext(flow))
            while True:
                self.secrets.update(before.credentials(request))
                response = await self.follow(request)
                try:
                    if auth.requires_response_body:
                        response = await self.whole(response)
                    request = await _step(flow.asend(response))
                except StopAsyncIteration:
                    return response
                except BaseException:
                    await response.aclose()
                    raise
                await response.aclose()

    async def follow(self, request: httpx2.Request) -> httpx2.Response:
        """One request and the redirects of its origin; the last answer is given as it came."""
        for _ in range(MOST):
            response = await self.exchange(request)
            following = redirected(request, response)
            if following is None:
                return response
            await response.aclose()
            request = following
        return await self.exchange(request)

    async def exchange(self, request: httpx2.Request) -> httpx2.Response:
        self.status = None
        response = await self.upstream.transport.handle_async_request(request)
        response.request = request
        self.status, self.left = response.status_code, True
        return response

    async def read(self, response: httpx2.Response) -> bytes:
        """The body, decompressed. Raises: TooLarge, httpx2.DecodingError."""
        return await read_body(response, self.upstream.limits.answer)

    async def whole(self, response: httpx2.Response) -> httpx2.Response:
        """The response with its body read under the cap, for strategies that look at it."""
        content = await self.read(response)
        await response.aclose()
        kept = [pair for pair in response.headers.multi_items() if pair[0].lower() not in _OF_CODING]
        return httpx2.Response(response.status_code, headers=kept, content=content, request=response.request)


async def _step(step: Awaitable[httpx2.Request]) -> httpx2.Request:
    """One step of a strategy.

    Raises: StopAsyncIteration, AuthRequired, UpstreamError, and SigningFailed for everything else.
    """
    try:
        return await step
    except (StopAsyncIteration, AuthRequired, UpstreamError):
        raise
    except Exception as error:  # what a host's strategy raises is no answer of the upstream, and must not end as one
        raise SigningFailed(type(error).__name__) from error


_OF_CODING = {"content-encoding", "content-length", "transfer-encoding"}


def where(url: httpx2.URL) -> str:
    """An upstream for messages and logs: scheme, host and port, nothing that could be secret."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def checked_transport(transport: object) -> httpx2.AsyncBaseTransport:
    """The transport. Raises: ConfigError."""
    if isinstance(transport, httpx2.AsyncBaseTransport):
        return transport
    raise ConfigError(f"transport must be an httpx2.AsyncBaseTransport, not {_kind(transport)}{_old(transport)}")


def checked_auth(auth: object) -> httpx2.Auth:
    """The strategy. Raises: ConfigError."""
    if isinstance(auth, httpx2.Auth):
        return auth
    raise ConfigError(f"auth must be an httpx2.Auth such as mcpbridge.Bearer, not {_kind(auth)}{_old(auth)}")


def checked_headers(headers: Mapping[str, str | Secret]) -> dict[str, str]:
    """Static headers as they are sent. Raises: ConfigError with the name, never the value."""
    shown: dict[str, str] = {}
    for name, value in headers.items():
        try:
            text = cast("object", value.reveal() if isinstance(value, Secret) else value)
            if not isinstance(text, str):
                raise ConfigError(f"header {name!r} must have text as its value, not {_kind(text)}")
            if TOKEN.fullmatch(name) is None:
                raise ConfigError(f"{name!r} is no name of a header")
            if not text.isascii():
                raise ConfigError(f"header {name!r} must have ASCII text as its value")
            shown[name] = checked_header(text)
        except Unfit as error:
            raise ConfigError(f"header {name!r} can't be sent: {error}") from None
    return shown


def _kind(value: object) -> str:
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


def _old(value: object) -> str:
    """The advice for an object of httpx, which httpx2 continues."""
    if any(base.__module__.partition(".")[0] == "httpx" for base in type(value).__mro__):
        return "; it comes from the package httpx: import the same name from httpx2, which continues it"
    return "; httpx2.AsyncClient is a client, pass its transport" if isinstance(value, httpx2.AsyncClient) else ""
