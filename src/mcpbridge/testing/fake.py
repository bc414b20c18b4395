"""`FakeUpstream`: an API made of its description, or an MCP server made of its tools, that does what a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import Any, Self, TypeAlias

from mcp.server.lowlevel import Server
from starlette.types import ASGIApp, Receive, Scope, Send

from mcpbridge.compare.snapshot import read_tools
from mcpbridge.errors import ConfigError
from mcpbridge.openapi.document import Document
from mcpbridge.server.asgi import to_asgi
from mcpbridge.testing.described import DescribedApi
from mcpbridge.testing.faults import Fault, Faults
from mcpbridge.testing.inprocess import InProcess
from mcpbridge.testing.issuer import FakeIssuer
from mcpbridge.testing.listed import ListedServer, ListedTools, poisoned
from mcpbridge.testing.ports import listening, running
from mcpbridge.testing.received import Received, Reply
from mcpbridge.testing.wire import read_request, replayed, replying, spoilt
from mcpbridge.tools import Json, Tool

Given: TypeAlias = Json | Reply | Callable[[Received], Any]
"""What an operation or a tool answers: JSON, a `Reply`, or a function of the request that gives one of them."""

SESSION = "mcp-session-id"


class FakeUpstream:
    """An upstream for tests: an ASGI application that records what it gets.

    received   every request, in order: what it asks for, and what the description says against it
    transport  in this process: pass it to `RestSource(…, transport=fake.transport)`
    server     of a list of tools, in memory: pass it to `McpSource(fake.server)`
    listening  over a real port, in this event loop: `async with fake.listening() as url` (an MCP server is at `/mcp`)
    running    the same from a thread, for tests that are not asynchronous: `with fake.running() as url`
    """

    def __init__(self, kind: DescribedApi | ListedServer) -> None:
        self.received: list[Received] = []
        self.transport = InProcess(self)
        self._kind = kind
        self._app = to_asgi(kind.server, stateless=False) if isinstance(kind, ListedServer) else None
        self._faults = Faults()
        self._given: dict[str, Given] = {}
        self._issuer: FakeIssuer | None = None
        self._sessions: set[str] = set()
        self._lost: set[str] = set()
        self._waiting: list[asyncio.Future[None]] = []

    @classmethod
    def from_openapi(cls, data: str | bytes | Path | Mapping[str, Json] | Document) -> Self:
        """An API that answers with the examples of its description, else with what its schemas ask for.

        What does not fit the description is answered with 404, 405 or 400, and says why.

        Raises: DescriptionError.
        """
        return cls(DescribedApi(data if isinstance(data, Document) else Document.parse(data)))

    @classmethod
    def from_tools(cls, tools: Sequence[Tool] | Json, *, name: str = "fake") -> Self:
        """An MCP server, of both protocol eras, that lists these tools: a list of `Tool`, a snapshot or a listing.

        Raises: ConfigError for what is no list of tools.
        """
        return cls(ListedServer(read_tools(tools), name))

    @property
    def names(self) -> Sequence[str]:
        """The names of what was asked for, in order; requests that are none of the operations are left out."""
        return [received.name for received in self.received if received.name]

    @property
    def problems(self) -> Sequence[str]:
        """All that was received against the description, as `name: what is wrong`."""
        found = [*self.received, *(self._listing.source.called if self._app is not None else ())]
        return [f"{each.name or each.method}: {problem}" for each in found for problem in each.problems]

    async def arrived(self, count: int = 1) -> None:
        """Waits until so many requests have been received in all. For a fake in this event loop."""
        while len(self.received) < count:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting

    @property
    def called(self) -> Sequence[Received]:
        """Of a list of tools: the calls that arrived, in memory as well. Raises: ConfigError for an API."""
        return self._listing.source.called

    @property
    def server(self) -> Server[dict[str, Json]]:
        """The MCP server, to be used in memory, where no HTTP can fail. Raises: ConfigError for an API."""
        return self._listing.server

    @property
    def source(self) -> ListedTools:
        """The tools as a source of their own. Raises: ConfigError for an API."""
        return self._listing.source

    def listening(self) -> AbstractAsyncContextManager[str]:
        """The base URL of a real port, for as long as the block lasts."""
        return listening(self)

    def running(self) -> AbstractContextManager[str]:
        """The base URL of a real port, answered by a thread."""
        return running(self)

    def answer(self, name: str, given: Given) -> None:
        """What an operation or a tool answers from now on. A request that does not fit is refused still.

        Raises: ConfigError for a name that is none.
        """
        known = (
            [*self._kind.operations]
            if isinstance(self._kind, DescribedApi)
            else [tool.name for tool in self._kind.source.tools]
        )
        if name not in known:
            raise ConfigError(f"the fake has no {name!r}; it has: {', '.join(known)}")
        self._given[name] = given
        if isinstance(self._kind, ListedServer):
            self._kind.source.given[name] = given if callable(given) else lambda _: given

    def next(self, *faults: Fault, on: str | None = None) -> None:
        """One fault for each of the next requests: `fake.next(*[Fault.status(503)] * 3)` is a burst.

        `on` chooses requests by what they ask for: an operation, a tool, or a method of MCP (`tools/list`).
        """
        self._faults.queue(on, *faults)

    def always(self, fault: Fault, *, on: str | None = None) -> None:
        """A fault for every request, until `heal`."""
        self._faults.stay(on, fault)

    def heal(self) -> None:
        """No fault is left, and no token is asked for."""
        self._faults.clear()
        self._issuer = None

    def protect(self, issuer: FakeIssuer | None = None) -> FakeIssuer:
        """From now on every request needs an access token; who has none gets 401 with the way to one."""
        self._issuer = issuer or FakeIssuer()
        return self._issuer

    def change(self, tools: Sequence[Tool] | Json) -> None:
        """Lists other tools from now on. Raises: ConfigError for an API, and for what is no list of tools."""
        self._listing.source.change(read_tools(tools))

    def poison(self) -> None:
        """Lists the tools as a server does that turned against its users: hidden words, orders to the model, a
        look-alike, labels that claim no harm. Raises: ConfigError for an API.
        """
        self.change(poisoned(self._listing.source.tools))

    def lose_sessions(self) -> None:
        """Every session that clients of the older era have is over: 404, as after a restart (MCP 2025-11-25)."""
        self._lost |= self._sessions

    @property
    def _listing(self) -> ListedServer:
        if isinstance(self._kind, ListedServer):
            return self._kind
        raise ConfigError("this fake is an API made of a description, and has no tools of its own: use from_tools")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await (_no_lifespan if self._app is None else self._app)(scope, receive, send)
        elif scope["type"] == "http":
            request = self._kind.read(await read_request(scope, receive))
            await self._answer(request, scope, receive, send)

    async def _answer(self, request: Received, scope: Scope, receive: Receive, send: Send) -> None:
        if self._issuer is not None and (own := self._issuer.reply(request)) is not None:
            await replying(own)(scope, receive, send)
            return
        self.received.append(request)
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()
        app, again = self._answering(request), replayed(request, receive)
        fault = self._faults.take(request)
        if fault is None:
            await app(scope, again, send)
        else:
            await spoilt(fault, app, scope, again, send)

    def _answering(self, request: Received) -> ASGIApp:
        """Who answers: the issuer, the given answer, or the upstream itself."""
        if self._issuer is not None and not self._issuer.knows(request):
            return replying(self._issuer.challenge(request))
        if self._app is not None:
            session = request.headers.get(SESSION)
            if session is not None:
                self._sessions.add(session)
            return replying(Reply.of_problem(404, "Session not found")) if session in self._lost else self._app
        if request.name in self._given and not request.problems:
            return replying(_reply(self._given[request.name], request))
        return replying(self._kind.reply(request)) if isinstance(self._kind, DescribedApi) else replying(Reply())


def _reply(given: Given, request: Received) -> Reply:
    value: Any = given(request) if callable(given) else given
    return value if isinstance(value, Reply) else Reply.of_json(value)


async def _no_lifespan(_scope: Scope, receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})
