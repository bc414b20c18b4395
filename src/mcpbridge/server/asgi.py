"""`to_asgi`: an MCP server as an ASGI application, run by itself or mounted in another one."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend, RequireAuthMiddleware
from mcp.server.auth.provider import TokenVerifier
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcpbridge.errors import ConfigError
from mcpbridge.server.headers import trimmed
from mcpbridge.server.hosts import is_loopback, known_hosts, refusal
from mcpbridge.server.identity import REFUSALS
from mcpbridge.server.news import Newsroom


def to_asgi(
    server: Server[Any],
    *,
    path: str = "/mcp",
    allowed_hosts: Sequence[str] | None = None,
    verifier: TokenVerifier | None = None,
    stateless: bool = False,
) -> ASGIApp:
    """Streamable HTTP for clients of both eras at `path`.

    It starts by itself with the first request, so it can be mounted anywhere; where it runs as an application of its
    own, its lifespan stops it. The host enters the source.

    allowed_hosts   the names by which clients reach it (`gateway.example.com`, with or without a port): requests with
                    another Host or Origin are refused. None: loopback's names
    verifier        checks bearer tokens; a request without a good one gets 401. Without a verifier, and without
                    `identify` in the server, only this machine is served
    stateless       keeps no sessions, so that any replica can answer an older client; such a client can't be asked then

    Raises: ConfigError for a path or a host that is none.
    """
    if not path.startswith("/"):
        raise ConfigError(f"path={path!r} must start with a slash")
    sessions = _Sessions(server, stateless=stateless)
    endpoint: ASGIApp = sessions
    if verifier is not None:
        endpoint = AuthContextMiddleware(RequireAuthMiddleware(endpoint, []))
        endpoint = AuthenticationMiddleware(endpoint, backend=BearerAuthBackend(verifier))
    local = verifier is None and not getattr(server, "identified", False)
    guarded = _Guard(endpoint, known_hosts(allowed_hosts), local=local)
    app = Starlette(routes=[Route(path, endpoint=guarded)], lifespan=sessions.lifespan)
    app.state.drain = sessions.drain
    return app


async def drain(app: ASGIApp) -> None:
    """Ends what clients of `to_asgi` keep open, so that a server can stop: news at once, sessions after their calls.

    An application that is none of ours is left alone.
    """
    ending = getattr(getattr(app, "state", None), "drain", None)
    if ending is not None:
        await ending()


class _Guard:
    """Refuses requests from elsewhere before anything reads them, and answers 401 to whom `identify` refused."""

    def __init__(self, app: ASGIApp, known: frozenset[tuple[str, int | None]], *, local: bool) -> None:
        self._app = app
        self._known = known
        self._local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = trimmed(scope)
        refused = refusal(scope, self._known)
        if refused is None and self._local and not is_loopback(scope):
            refused = (403, "Only this machine is served: give to_server() an identify, or to_asgi() a verifier")
        if refused is not None:
            await PlainTextResponse(refused[1], status_code=refused[0])(scope, receive, send)
            return
        refusals: list[str] = []
        scope[REFUSALS] = refusals
        await self._app(scope, receive, _telling(send, refusals))


def _telling(send: Send, refusals: list[str]) -> Send:
    async def told(message: Message) -> None:
        if refusals and message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"www-authenticate", b"Bearer")]
            message = {**message, "status": 401, "headers": headers}
        await send(message)

    return told


class _Sessions:
    """The SDK's session manager, held by one task of its own from the first request on.

    The SDK starts it in the application's lifespan, which nobody runs for an application that is mounted.
    """

    def __init__(self, server: Server[Any], *, stateless: bool) -> None:
        self._server = server
        self._stateless = stateless
        self._loop: asyncio.AbstractEventLoop | None = None
        self._manager: asyncio.Future[StreamableHTTPSessionManager] | None = None
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._calls = 0
        self._idle = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        manager = await self._started()
        if scope["method"] != "POST":  # an older client's stream, which is open for as long as its session
            await manager.handle_request(scope, receive, send)
            return
        self._calls += 1
        try:
            await manager.handle_request(scope, receive, send)
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    async def drain(self) -> None:
        """Ends news, waits for the calls under way, and then ends sessions."""
        newsroom: Newsroom | None = getattr(self._server, "newsroom", None)
        if newsroom is not None:
            newsroom.close_all()
        while self._calls:
            self._idle.clear()
            await self._idle.wait()
        await self._stopped()

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncGenerator[None]:
        """Starts at once, and stops at the end."""
        await self._started()
        try:
            yield
        finally:
            await self._stopped()

    async def _started(self) -> StreamableHTTPSessionManager:
        loop = asyncio.get_running_loop()
        if self._loop is not None and self._loop is not loop and not self._loop.is_closed():
            raise ConfigError("this application runs in another event loop already: make one for each loop")
        if self._loop is not loop or self._manager is None:
            self._loop, self._stop, self._manager = loop, asyncio.Event(), loop.create_future()
            hold = self._hold(self._manager, self._stop)
            # an empty context: the first request's own must not live on in later ones
            self._task = loop.create_task(hold, name="mcpbridge sessions", context=contextvars.Context())
        return await asyncio.shield(self._manager)

    async def _hold(self, started: asyncio.Future[StreamableHTTPSessionManager], stop: asyncio.Event) -> None:
        manager = StreamableHTTPSessionManager(self._server, stateless=self._stateless)
        try:
            async with manager.run():
                started.set_result(manager)
                await stop.wait()
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
            raise

    async def _stopped(self) -> None:
        task, self._task, self._manager = self._task, None, None
        self._stop.set()
        if task is not None:
            await task
