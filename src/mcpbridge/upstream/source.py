"""`McpSource`: an MCP server as a source, over HTTP, stdio, in memory or a transport of the host's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Literal, Self

import httpx2
from mcp import Client

from mcpbridge.errors import ConfigError, Failure, ToolNotFound, UpstreamError
from mcpbridge.net.limits import Limits
from mcpbridge.net.turns import NoTurn, Turns
from mcpbridge.secret import Secret
from mcpbridge.source.answer import answers, failed
from mcpbridge.source.base import Answer, Listener, ToolSource
from mcpbridge.tools import Ability, Call, Caller, ClientChannel, Item, Kind, Status
from mcpbridge.upstream.backoff import Backoff
from mcpbridge.upstream.commands import AllowedCommand
from mcpbridge.upstream.connect import Connector
from mcpbridge.upstream.debounce import QUIET, Debounce
from mcpbridge.upstream.requests import STATE_KEY, Result, answer_for, request_for
from mcpbridge.upstream.target import Target, Ways, address_of
from mcpbridge.upstream.view import View
from mcpbridge.upstream.views import Views

EVERYTHING: Final = ClientChannel(form=True, url=True, sampling=True, roots=True)
"""What a host that calls without an MCP client can be asked: whatever it is, it gets as the answer."""


class McpSource(ToolSource):
    """What an MCP server offers: tools, resources, templates, prompts and completions, of either protocol era.

    target     a URL, `StdioServerParameters`, an `mcp` Server in this process, a transport, or a function that gives a
               new transport for each connection (a transport object itself can be connected once)
    auth       any `httpx2.Auth`, for a URL; it wins over `headers`, which go on every request. Who calls stands in
               `request.extensions["mcpbridge.caller"]`
    trusted    whether its labels are believed: a tool that says `readOnlyHint` is a read only then
    mode       how to settle on an era: `auto` asks, `legacy` does not try the newer one
    transport  `http` (streamable HTTP), `sse` or `stdio`; without it a URL is tried over HTTP, then over SSE
    http       for a URL, the transport below: a proxy, a private authority, a guarded pool. The host closes it
    shared     whether all callers share one session there, and so what the server keeps in it. Without it each has
               a session of its own, and a child process of its own
    sessions   how many there may be at once, 20 children or 1,000 others; who was idle for longest makes room
    commands   for a target that is not the host's own: the commands that may be started; none are where it is empty
    backoff    how soon a lost connection is opened again

    A connection is opened with the first use; after it is lost it is opened again. An upstream that fails gives a
    `Failure` to the calls that it concerns, and ends nothing else. No call is ever sent twice here.

    Raises: ConfigError for a target, strategy or header that is none, or a command that is not allowed.
    """

    def __init__(
        self,
        target: Target,
        *,
        auth: httpx2.Auth | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        limits: Limits | None = None,
        trusted: bool = False,
        mode: str = "auto",
        transport: Literal["http", "sse", "stdio"] | None = None,
        http: httpx2.AsyncBaseTransport | None = None,
        shared: bool = False,
        sessions: int | None = None,
        commands: Sequence[AllowedCommand] | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        limits = limits or Limits()
        ways = Ways(auth=auth, headers=headers, transport=transport, http=http, commands=commands)
        self._address = address_of(target, ways, limits)
        self._connector = Connector(address=self._address, mode=mode, limits=limits)
        self._turns = Turns(limits)
        self._trusted = trusted
        self._backoff = backoff or self._address.backoff
        most = self._address.sessions if sessions is None else sessions
        self._views = Views(self._view, shared=shared, most=most, where=self._address.where)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: list[Listener] = []
        self._news = Debounce[Kind](QUIET, self._changed)

    @property
    def stderr(self) -> str:
        """The end of what child processes wrote to their standard error; it may hold secrets of theirs."""
        return self._address.written.text()

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        """The items. While the upstream can't be reached these are the last known ones.

        Raises: UpstreamError where none are known.
        """
        return (await self._of(caller).listings.listing(kind, self._views.seen_as(caller))).items

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        item = await self._of(caller).listings.find(kind, key, self._views.seen_as(caller))
        if item is None:
            raise ToolNotFound(key, kind)
        return item

    async def call(self, call: Call) -> Answer:
        kind, key = call.target()
        channel = call.client or EVERYTHING
        try:
            view = self._of(call.caller, channel)
            item = await view.listings.find(kind, key, self._views.seen_as(call.caller))
        except UpstreamError as error:
            return failed(error.failure)
        if item is None:
            raise ToolNotFound(key, kind)
        back = answers(call, STATE_KEY)
        request, adapter = request_for(call, back)

        async def progress(progress: float, total: float | None, message: str | None) -> None:
            if channel.report is not None:
                await channel.report(progress, total, message)

        async def send(client: Client) -> Result:
            async with self._turns:
                return await client.session.send_request(request, adapter, progress_callback=progress)

        try:
            result = await view.session.use(send, caller=self._views.seen_as(call.caller), channel=channel)
        except NoTurn:
            return failed(self._turns.failure(self._address.where))
        answer = result if isinstance(result, Failure) else answer_for(result, self._address.where)
        return failed(answer) if isinstance(answer, Failure) else answer

    async def status(self, caller: Caller | None = None) -> Status:
        return self._views.status(caller)

    def version(self, caller: Caller) -> str:
        view = self._views.known(caller)
        return f"{id(self):x}.{view.listings.revision if view else 0}"

    def watch(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)

        def end() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return end

    async def subscribe(self, uri: str, caller: Caller, listener: Callable[[], None]) -> Callable[[], None]:
        await self.get("resource", uri, caller)
        ending = await self._of(caller).hearing.subscribe(uri, self._views.seen_as(caller), listener)
        if isinstance(ending, Failure):
            raise UpstreamError(ending)
        return ending

    def reconnect(self) -> None:
        """Ends the present connections when their calls are done; the next use opens others, without waiting."""
        for view in self._views.all():
            view.session.renew()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop = None
        self._news.close()
        await self._views.close()
        await self._address.close()

    def _of(self, caller: Caller, channel: ClientChannel | None = None) -> View:
        if self._loop is None:
            raise ConfigError("this McpSource was not entered: use `async with source:` where the gateway starts")
        if self._loop is not asyncio.get_running_loop():
            raise ConfigError("this McpSource was entered in another event loop: make and enter one in each loop")
        view = self._views.of(caller, channel)
        if isinstance(view, Failure):
            raise UpstreamError(view)
        return view

    def _view(self, caller: Caller, abilities: frozenset[Ability]) -> View:
        return View(
            self._connector,
            caller=caller,
            abilities=abilities,
            backoff=self._backoff,
            trusted=self._trusted,
            news=self._news.news,
        )

    def _changed(self, kind: Kind) -> None:
        for view in self._views.all():
            view.listings.stale(kind)
        for listener in tuple(self._listeners):
            listener(kind)
