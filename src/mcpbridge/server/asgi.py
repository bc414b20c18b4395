"""`to_asgi`: an MCP server as an ASGI application, run by itself or mounted in another one."""

from __future__ import annotations

import asyncio
import contextvars
import logging
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
from mcpbridge.server.metadata import ResourceMetadata, metadata_routes
from mcpbridge.server.news import Newsroom
from mcpbridge.server.verify_token import TokensUnavailable

logger = logging.getLogger(__name__)


def to_asgi(
    server: Server[Any],
    *,
    path: str = "/mcp",
    allowed_hosts: Sequence[str] | None = None,
    verifier: TokenVerifier | None = None,
    resource: ResourceMetadata | None = None,
    stateless: bool = False,
) -> ASGIApp:
    """Streamable HTTP for clients of both eras at `path`.

    It starts by itself with the first request, so it can be mounted anywhere; where it runs as an application of its
    own, its lifespan stops it. The host enters the source.

    allowed_hosts   the names by which clients reach it (`gateway.example.com`, with or without a port): requests with
                    another Host or Origin are refused. None: loopback's names
    verifier        checks bearer tokens; a request without a good one gets 401. Without a verifier, and without
                    `identify` in the server, only this machine is served
    resource        what the gateway says of itself (RFC 9728), served here; a 401 names it, so that clients find out
                    where to log in. Mounted below a path, the host serves `metadata_routes` itself
    stateless       keeps no sessions, so that any replica can answer an older client; such a client can't be asked then

    Raises: ConfigError for a path or a host that is none, and for a resource whose tokens nothing would check.
    """
    if not path.startswith("/"):
        raise ConfigError(f"path={path!r} must start with a slash")
    if resource is not None and verifier is None and not getattr(server, "identified", False):
        raise ConfigError("resource=… says where to get tokens, and nothing checks them: give verifier=… as well")
    sessions = _Sessions(server, stateless=stateless)
    endpoint: ASGIApp = sessions
    if verifier is not None:
        required, pointer = ([], None) if resource is None else ([*resource.required], resource.pointer())
        endpoint = AuthContextMiddleware(RequireAuthMiddleware(endpoint, required, pointer))
        endpoint = AuthenticationMiddleware(endpoint, backend=BearerAuthBackend(verifier))
    local = verifier is None and not getattr(server, "identified", False)
    challenge = b"Bearer" if resource is None else resource.challenge()
    guarded = _Guard(endpoint, known_hosts(allowed_hosts), local=local, challenge=challenge)
    told: Sequence[Route] = () if resource is None else metadata_routes(resource)
    app = Starlette(routes=[Route(path, endpoint=guarded), *told], lifespan=sessions.lifespan)
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

    def __init__(
        self, app: ASGIApp, known: frozenset[tuple[str, int | None]], *, local: bool, challenge: bytes
    ) -> None:
        self._app = app
        self._known = known
        self._local = local
        self._challenge = challenge

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
        try:
            await self._app(scope, receive, _telling(send, refusals, self._challenge))
        except TokensUnavailable as error:  # raised before anything was sent
            logger.warning("a request can't be served: %s", error)
            answer = PlainTextResponse("Tokens can't be checked now", 503, headers={"Retry-After": "5"})
            await answer(scope, receive, send)


def _telling(send: Send, refusals: list[str], challenge: bytes) -> Send:
    async def told(message: Message) -> None:
        if refusals and message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"www-authenticate", challenge)]
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
