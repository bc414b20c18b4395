"""What a client that listens is told: that a listing of its caller's is another one, or that a resource changed.

Nobody hears of what they may not see: before anything is told the source is asked, for this caller, whether the
listing differs from the one that the caller knows, and whether the resource is still there for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from mcp.shared.subscriptions import (
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
)

from mcpbridge.errors import ToolNotFound
from mcpbridge.server.bus import Bus, LocalBus
from mcpbridge.source.base import ToolSource
from mcpbridge.tools import Caller, Item, Kind, Tool

PAUSE: Final = 1.0
"""Seconds between two rounds of news for one client; what changes in between is told together."""

EVENTS: Final[Mapping[Kind, ServerEvent]] = {
    "tool": ToolsListChanged(),
    "resource": ResourcesListChanged(),
    "template": ResourcesListChanged(),
    "prompt": PromptsListChanged(),
}

logger = logging.getLogger(__name__)


class News:
    """The news of a source for one caller, about the kinds that it wants and the resources that it subscribed to."""

    def __init__(
        self, source: ToolSource, caller: Caller, kinds: frozenset[Kind], *, pause: float, clock: Callable[[], float]
    ) -> None:
        self.caller = caller
        self._source = source
        self._wanted = kinds
        self._pause = pause
        self._clock = clock
        self._known: dict[Kind, Sequence[Item]] = {}
        self._changed: set[Kind] = set()
        self._updated: set[str] = set()
        self._subscriptions: dict[str, Callable[[], None]] = {}
        self._quiet_until = 0.0
        self._wake = asyncio.Event()
        self._closed = False

    @property
    def subscribed(self) -> int:
        """How many resources it is about."""
        return len(self._subscriptions)

    def knows(self, kind: Kind, listing: Sequence[Item]) -> None:
        """The caller was shown this listing."""
        self._known[kind] = listing

    async def read(self) -> None:
        """Takes the listings as they are now for known, so that what was hidden before is no news when it changes."""
        for kind in sorted(self._wanted):
            await self._differs(kind)

    def hear(self, kind: Kind) -> None:
        """A listing of this kind may have changed."""
        if kind in self._wanted:
            self._changed.add(kind)
            self._wake.set()

    async def subscribe(self, uri: str) -> None:
        """The resource is among what is told from now on. Raises: what the source raises."""
        if uri in self._subscriptions:
            return
        ends = await self._source.subscribe(uri, self.caller, lambda: self._update(uri))
        self.unsubscribe(uri)  # somebody may have been faster
        self._subscriptions[uri] = ends
        if self._closed:
            self.close()

    def unsubscribe(self, uri: str) -> None:
        """The resource is none of them any more."""
        ends = self._subscriptions.pop(uri, None)
        if ends is not None:
            ends()

    def close(self) -> None:
        """There are no more news; whoever waits for some gets none."""
        self._closed = True
        for uri in tuple(self._subscriptions):
            self.unsubscribe(uri)
        self._wake.set()

    async def next(self) -> Sequence[ServerEvent]:
        """The next news, at least one; none after `close`."""
        events: Sequence[ServerEvent] = ()
        while not events and not self._closed:
            await self._something()
            self._wake.clear()
            events = await self._true_ones()
        self._quiet_until = asyncio.get_running_loop().time() + self._pause
        return events

    def _update(self, uri: str) -> None:
        self._updated.add(uri)
        self._wake.set()

    async def _something(self) -> None:
        """Waits until something was heard, or listings change by themselves; for the pause in any case."""
        await asyncio.sleep(max(0.0, self._quiet_until - asyncio.get_running_loop().time()))
        edge = self._source.holds_until(self.caller)
        left = None if edge is None or edge <= self._clock() else edge - self._clock()
        try:
            async with asyncio.timeout(left):
                await self._wake.wait()
        except TimeoutError:
            self._changed |= self._known.keys()

    async def _true_ones(self) -> Sequence[ServerEvent]:
        changed, self._changed = self._changed, set()
        updated, self._updated = self._updated, set()
        lists = dict.fromkeys([EVENTS[kind] for kind in sorted(changed) if await self._differs(kind)])
        return [*lists, *[ResourceUpdated(uri=uri) for uri in sorted(updated) if await self._is_there(uri)]]

    async def _differs(self, kind: Kind) -> bool:
        """Whether the listing is another one than the caller knows. Whoever was shown none knows an empty one."""
        try:
            listing = listed(await self._source.list(kind, self.caller))
        except Exception:  # whatever a source raises, the client is told nothing that it could not list
            logger.exception("the listing of %ss could not be read for news", kind)
            return False
        before = self._known.get(kind, ())
        self._known[kind] = listing
        return [*before] != listing

    async def _is_there(self, uri: str) -> bool:
        if uri not in self._subscriptions:
            return False
        try:
            await self._source.get("resource", uri, self.caller)
        except ToolNotFound:
            return False
        except Exception:  # as above
            logger.exception("resource %r could not be looked up for news", uri)
            return False
        return True


class Newsroom:
    """Opens `News` of one source. It watches the source while somebody listens; with a bus of the host's, always."""

    def __init__(
        self,
        source: ToolSource,
        *,
        bus: Bus | None = None,
        pause: float = PAUSE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._bus: Bus = bus or LocalBus()
        self._pause = pause
        self._clock = clock
        self._open: dict[News, Callable[[], None]] = {}
        self._always = bus is not None
        self._unwatch = source.watch(self._bus.publish) if self._always else None

    def __len__(self) -> int:
        return len(self._open)

    def open(self, caller: Caller, kinds: frozenset[Kind]) -> News:
        """News for a caller, until they are closed here."""
        news = News(self._source, caller, kinds, pause=self._pause, clock=self._clock)
        self._open[news] = self._bus.subscribe(news.hear)
        if self._unwatch is None:
            self._unwatch = self._source.watch(self._bus.publish)
        return news

    def close(self, news: News) -> None:
        """Ends news."""
        news.close()
        ends = self._open.pop(news, None)
        if ends is not None:
            ends()
        if not self._open and not self._always and self._unwatch is not None:
            self._unwatch()
            self._unwatch = None

    def close_all(self) -> None:
        """Ends all news, so that those who wait for some can go."""
        for news in tuple(self._open):
            self.close(news)


def listed(items: Sequence[Item]) -> Sequence[Item]:
    """The items that a listing shows: a tool may be callable and out of listings."""
    return [item for item in items if not isinstance(item, Tool) or item.listed]
