"""`McpSource`: an MCP server as a source, over streamable HTTP, stdio, in memory or a transport of the host's."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
from mcp import Client
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from mcpbridge.errors import ConfigError, Failure, ToolNotFound, UpstreamError
from mcpbridge.net.limits import Limits
from mcpbridge.net.turns import NoTurn, Turns
from mcpbridge.secret import Secret
from mcpbridge.source.answer import answers, failed
from mcpbridge.source.base import Answer, Listener, ToolSource
from mcpbridge.tools import Call, Caller, Item, Kind, Status
from mcpbridge.upstream.connect import Connector
from mcpbridge.upstream.failures import ends_session, of_answer, overdue, unreadable
from mcpbridge.upstream.link import Link
from mcpbridge.upstream.listing import FRESH, Listing, changed_kinds, read_listing
from mcpbridge.upstream.requests import STATE_KEY, Result, answer_for, request_for
from mcpbridge.upstream.target import Target

_R = TypeVar("_R")

logger = logging.getLogger(__name__)


class McpSource(ToolSource):
    """What an MCP server offers: tools, resources, templates, prompts and completions, of either protocol era.

    target   a URL, `StdioServerParameters`, an `mcp` Server in this process, a transport, or a function that gives a
             new transport for each connection (a transport object itself can be connected once)
    auth     any `httpx2.Auth`, for a URL; it wins over `headers`, which go on every request
    trusted  whether its labels are believed: a tool that says `readOnlyHint` is a read only then
    mode     how to settle on an era: `auto` asks, `legacy` does not try the newer one

    One connection is opened with the first use and shared by all callers; after it is lost, the next use opens another.
    An upstream that fails gives a `Failure` to the calls that it concerns, and ends nothing else.

    Raises: ConfigError for a target, strategy or header that is none.
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
    ) -> None:
        self._limits = limits or Limits()
        self._turns = Turns(self._limits)
        self._trusted = trusted
        self._connector = Connector(
            target, auth=auth, headers=headers, limits=self._limits, mode=mode, heard=self._heard, report=self._left_out
        )
        self._link: Link | None = None
        self._links: set[Link] = set()
        self._entered = False
        self._listings: dict[Kind, Listing] = {}
        self._reading: dict[Kind, asyncio.Lock] = {}
        self._revision = 0
        self._ill: dict[Kind, Sequence[str]] = {}
        self._failure: Failure | None = None
        self._listeners: list[Listener] = []

    @property
    def stderr(self) -> str:
        """The end of what a child process wrote to its standard error; it may hold secrets of the child's."""
        return self._connector.stderr.text()

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        """The items. While the upstream can't be reached these are the last known ones.

        Raises: UpstreamError where none are known.
        """
        return (await self._listing(kind, within=FRESH)).items

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        item = await self._find(kind, key)
        if item is None:
            raise ToolNotFound(key, kind)
        return item

    async def call(self, call: Call) -> Answer:
        try:
            await self.get(*call.target(), call.caller)
        except UpstreamError as error:
            return failed(error.failure)
        back = answers(call, STATE_KEY)
        request, adapter = request_for(call, back)
        report = call.client.report if call.client else None

        async def progress(progress: float, total: float | None, message: str | None) -> None:
            if report is not None:
                await report(progress, total, message)

        async def send(client: Client) -> Result:
            async with self._turns:
                return await client.session.send_request(request, adapter, progress_callback=progress)

        result = await self._on_client(send)
        return failed(result) if isinstance(result, Failure) else answer_for(result)

    async def status(self, caller: Caller | None = None) -> Status:
        if self._failure is not None:
            return Status(state="failed", code=self._failure.code, message=self._failure.message)
        notes = [f"left out illegal {kind}s: {', '.join(names)}" for kind, names in self._ill.items() if names]
        notes += [
            f"the listing of {kind}s is not whole: {each.cut}" for kind, each in self._listings.items() if each.cut
        ]
        open_now = self._link is not None and self._link.connected
        return Status(
            state="connected" if open_now else "pending", code="incomplete" if notes else "", message="; ".join(notes)
        )

    def version(self, caller: Caller) -> str:
        return f"{id(self):x}.{self._revision}"

    def watch(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)

        def end() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return end

    async def __aenter__(self) -> Self:
        self._entered = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered = False
        self._link = None
        for link in self._links:
            link.abandon()
        if self._links:
            await asyncio.wait({link.task for link in self._links})

    async def _find(self, kind: Kind, key: str) -> Item | None:
        listing = await self._listing(kind)
        if (found := listing.find(key)) is None and self._is_old(listing):
            listing = await self._listing(kind, within=FRESH)
            found = listing.find(key)
        if found is None and kind == "resource":
            return (await self._listing("template", within=FRESH)).covering(key)
        return found

    async def _listing(self, kind: Kind, *, within: float | None = None) -> Listing:
        """What is known, or what is read now where that is older than `within` seconds."""
        async with self._reading.setdefault(kind, asyncio.Lock()):
            known = self._listings.get(kind)
            if known is not None and (within is None or not self._is_old(known)):
                return known
            return self._kept(kind, known, await self._read(kind))

    async def _read(self, kind: Kind) -> Listing | Failure:
        now = asyncio.get_running_loop().time()
        self._ill[kind] = ()

        async def read(client: Client) -> Listing:
            return await read_listing(client, kind, trusted=self._trusted, most=self._limits.operations, now=now)

        return await self._on_client(read)

    def _kept(self, kind: Kind, known: Listing | None, read: Listing | Failure) -> Listing:
        if isinstance(read, Failure):
            if known is None:
                raise UpstreamError(read)
            return known
        self._listings[kind] = read
        if known is None or known.items != read.items:
            self._revision += 1
            if known is not None:
                self._tell(kind)
        return read

    async def _on_client(self, use: Callable[[Client], Awaitable[_R]]) -> _R | Failure:
        """What `use` gives on an open client, or a Failure. A deadline covers connecting too."""
        deadline = asyncio.timeout(self._limits.deadline)
        try:
            async with deadline:
                link = self._connected()
                client = await link.client()
                if isinstance(client, Failure):
                    self._failure = client
                    return client
                return await self._used(link, client, use)
        except TimeoutError:
            if not deadline.expired():
                raise
            return overdue(self._connector.where, self._limits)

    async def _used(self, link: Link, client: Client, use: Callable[[Client], Awaitable[_R]]) -> _R | Failure:
        try:
            result = await use(client)
        except MCPError as error:
            failure = of_answer(error, self._connector.where)
            if ends_session(error, failure):
                link.abandon()
            return failure
        except NoTurn:
            return self._turns.failure(self._connector.where)
        except (ValidationError, RecursionError):
            return unreadable(self._connector.where)
        self._failure = None
        return result

    def _connected(self) -> Link:
        if not self._entered:
            raise ConfigError("this McpSource was not entered: use `async with source:` where the gateway starts")
        if self._link is None or self._link.dead:
            self._link = link = Link(self._connector.client, self._connector.where, self._limits)
            self._links.add(link)
            link.task.add_done_callback(lambda _: self._links.discard(link))
        return self._link

    def _is_old(self, listing: Listing) -> bool:
        return asyncio.get_running_loop().time() - listing.at >= FRESH

    def _left_out(self, kind: Kind, names: Sequence[str]) -> None:
        self._ill[kind] = (*self._ill.get(kind, ()), *names)
        logger.warning("%s lists %ss that are no legal ones, left out: %s", self._connector.where, kind, names)

    def _heard(self, message: Any) -> None:
        for kind in changed_kinds(message):
            if (known := self._listings.get(kind)) is not None:
                self._listings[kind] = Listing(items=known.items, at=float("-inf"), by_key=known.by_key)
            self._revision += 1
            self._tell(kind)

    def _tell(self, kind: Kind) -> None:
        for listener in tuple(self._listeners):
            listener(kind)
