"""`Hearing`: the news that a session hears of by itself: listings that changed, and resources that callers watch.

A server of the older era sends news on its open connection, of resources once it was asked to. A newer one is asked
by a stream for as long as it is open (MCP 2026-07-28, subscriptions).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import mcp_types
from mcp import Client
from mcp.client.subscriptions import SubscriptionLost
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mcpbridge.errors import Failure
from mcpbridge.tools import Caller
from mcpbridge.upstream.link import Link
from mcpbridge.upstream.session import Session

AGAIN: Final = 5.0
"""Seconds after which a stream of news that ended is opened again, half as long at least."""

_REFUSED = (mcp_types.METHOD_NOT_FOUND, mcp_types.INVALID_PARAMS)

logger = logging.getLogger(__name__)


class Hearing:
    """What is heard of in one session; `missed` is called when news may have been missed."""

    def __init__(self, session: Session, missed: Callable[[], None]) -> None:
        self._session = session
        self._missed = missed
        self._told: dict[str, list[Callable[[], None]]] = {}
        self._open: tuple[Link, Client] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._streams: list[asyncio.Task[None]] = []

    @property
    def watches(self) -> bool:
        """Whether somebody watches a resource."""
        return bool(self._told)

    def opened(self, link: Link, client: Client) -> None:
        """A connection was opened: asks for news on it."""
        self._open = (link, client)
        if _is_modern(client):
            self._listen()
        else:
            for uri in self._told:
                self._spawn(_quietly(_subscribe(client, uri)))

    def heard(self, uri: str) -> None:
        """A resource changed, or one below it."""
        for watched, listeners in tuple(self._told.items()):
            if uri == watched or uri.startswith(watched.rstrip("/") + "/"):
                for listener in tuple(listeners):
                    listener()

    async def subscribe(self, uri: str, caller: Caller, listener: Callable[[], None]) -> Callable[[], None] | Failure:
        """Tells the listener of changes; gives what ends that, or why the upstream won't."""
        new = uri not in self._told
        self._told.setdefault(uri, []).append(listener)

        def end() -> None:
            listeners = self._told.get(uri, [])
            if listener in listeners:
                listeners.remove(listener)
                if not listeners:
                    del self._told[uri]
                    self._unasked(uri)

        async def ask(client: Client) -> None:
            await self._asked(client, uri)

        failure = await self._session.use(ask, caller=caller) if new else None
        if failure is not None:
            end()
            return failure
        return end

    def close(self) -> None:
        """Asks for nothing more."""
        for task in tuple(self._tasks):
            task.cancel()

    async def _asked(self, client: Client, uri: str) -> None:
        if _is_modern(client):
            await self._listen().wait()
        elif (offered := client.server_capabilities.resources) is not None and offered.subscribe:
            await _subscribe(client, uri)

    def _unasked(self, uri: str) -> None:
        if self._open is None or self._open[0].dead:
            return
        client = self._open[1]
        if _is_modern(client):
            self._listen()
        else:
            request = mcp_types.UnsubscribeRequest(params=mcp_types.UnsubscribeRequestParams(uri=uri))
            self._spawn(_quietly(client.session.send_request(request, mcp_types.EmptyResult)))

    def _listen(self) -> asyncio.Event:
        """Opens a stream of news; once it is open, or can't be (the event), it stands in place of older ones."""
        settled = asyncio.Event()
        if self._open is None:
            settled.set()
            return settled
        stream = self._spawn(self._listens(*self._open, settled))
        stream.add_done_callback(self._streams.remove)
        self._streams.append(stream)
        return settled

    async def _listens(self, link: Link, client: Client, settled: asyncio.Event) -> None:
        try:
            await self._stay(link, client, settled)
        finally:
            settled.set()

    async def _stay(self, link: Link, client: Client, settled: asyncio.Event) -> None:
        kinds, uris = _changing(client), tuple(self._told)
        while not link.dead and (kinds or uris):
            try:
                async with client.listen(
                    tools_list_changed="tool" in kinds,
                    prompts_list_changed="prompt" in kinds,
                    resources_list_changed="resource" in kinds,
                    resource_subscriptions=uris,
                ) as news:
                    self._replace()
                    settled.set()
                    async for _ in news:
                        pass  # the client's handler gets them too, as it does those of the older era
            except MCPError as error:
                logger.debug("no news can be heard", exc_info=error)
                if error.error.code in _REFUSED:
                    return
            except SubscriptionLost as error:
                logger.debug("the stream of news broke off", exc_info=error)
            settled.set()
            await asyncio.sleep(AGAIN * (1 + random.random()) / 2)  # noqa: S311 - spreads load, guards nothing
            self._missed()

    def _replace(self) -> None:
        """Ends the streams that were opened before this one: not earlier, so that no news falls between the two."""
        current = asyncio.current_task()
        if current in self._streams:
            for stream in self._streams[: self._streams.index(current)]:
                stream.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _is_modern(client: Client) -> bool:
    return client.protocol_version in MODERN_PROTOCOL_VERSIONS


def _changing(client: Client) -> Sequence[str]:
    """The kinds of which the server says that it tells when they change."""
    can = client.server_capabilities
    offered = {"tool": can.tools, "prompt": can.prompts, "resource": can.resources}
    return [kind for kind, of in offered.items() if of is not None and of.list_changed]


async def _subscribe(client: Client, uri: str) -> None:
    request = mcp_types.SubscribeRequest(params=mcp_types.SubscribeRequestParams(uri=uri))
    await client.session.send_request(request, mcp_types.EmptyResult)


async def _quietly(work: Coroutine[Any, Any, object]) -> None:
    """News are a convenience: where they can't be had, listings are read again after a while."""
    try:
        await work
    except MCPError as error:
        logger.debug("news could not be asked for, or refused", exc_info=error)
