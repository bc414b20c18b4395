"""`Router`: many sources behind one listing, each under its slug."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeAlias

from mcpbridge.errors import ConfigError, ToolNotFound
from mcpbridge.source.base import Answer, Listener, ToolSource, Verdict
from mcpbridge.tools import Call, Caller, Item, Json, Kind, State, Status
from mcpbridge.wrap.held import Settled
from mcpbridge.wrap.mount import Mount
from mcpbridge.wrap.naming import check_slug, split
from mcpbridge.wrap.prefix import Prefix

Futures: TypeAlias = list[asyncio.Future[None]]

logger = logging.getLogger(__name__)

_KINDS: tuple[Kind, ...] = ("tool", "resource", "template", "prompt")
_WORST_FIRST: tuple[State, ...] = (
    "failed",
    "reconnect_required",
    "auth_required",
    "connecting",
    "pending",
    "disabled",
    "connected",
)


class Router(ToolSource):
    """Sources by slug. `get` and `call` go straight to one of them by the slug in front of the key.

    A source that raises while it lists, or takes longer than `list_timeout` seconds, is left out of that listing, and
    `status` and `statuses` say so; they wait no longer either. Listings are ordered by slug, then as each source orders
    them.

    The router enters its sources, each in a task of its own; one that can't be entered counts as failed and does not
    stop the others. Entering the router takes at most `start_timeout` seconds; what is still being entered then joins
    when it is ready. `put` and `remove` work at any time.

    Raises: ConfigError for a slug that is none, or one source under two slugs.
    """

    def __init__(
        self,
        sources: Mapping[str, ToolSource] | None = None,
        *,
        list_timeout: float = 10.0,
        start_timeout: float = 30.0,
    ) -> None:
        self.list_timeout = list_timeout
        self.start_timeout = start_timeout
        self._mounts: dict[str, Mount] = {}
        self._slugs: dict[int, str] = {}
        self._sorted: tuple[Mount, ...] | None = ()
        self._listeners: list[Listener] = []
        self._running = False
        for slug, source in (sources or {}).items():
            self.put(slug, source)

    def put(self, slug: str, source: ToolSource) -> Awaitable[None]:
        """Adds a source, or replaces the one under this slug. It is there at once.

        In a router that was entered the source is entered too, and the one that it replaces is left: await what is
        given back to know when both came to an end.

        Raises: ConfigError.
        """
        check_slug(slug)
        if id(source) in self._slugs:
            other = self._slugs[id(source)]
            raise ConfigError(f"the source for {slug!r} is under {other!r} already: make one source for each slug")
        waits = self._take(slug) if slug in self._mounts else []
        mount = self._mounts[slug] = Mount(slug, source, self._tell)
        self._slugs[id(source)] = slug
        self._sorted = None
        if self._running:
            waits.append(mount.held.enter())
        self._tell(*_KINDS)
        return Settled(waits)

    def remove(self, slug: str) -> Awaitable[None]:
        """Takes a source out at once; await what is given back to know when it was left.

        Calls under way end as the source ends them.

        Raises: ConfigError for a slug that is not there.
        """
        if slug not in self._mounts:
            raise ConfigError(f"no source is under {slug!r}; there are: {', '.join(self._mounts) or 'none'}")
        waits = self._take(slug)
        self._tell(*_KINDS)
        return Settled(waits)

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        listings = (mount.list(kind, caller, self.list_timeout) for mount in self._order())
        return [item for items in await asyncio.gather(*listings) for item in items]

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        return await (await self._route(kind, key)).get(kind, key, caller)

    async def call(self, call: Call) -> Answer:
        return await (await self._route(*call.target())).call(call)

    async def statuses(self, caller: Caller | None = None) -> Mapping[str, Status]:
        """The status of each source by its slug."""
        mounts = self._order()
        each = await asyncio.gather(*(mount.status(caller, self.list_timeout) for mount in mounts))
        return {mount.slug: status for mount, status in zip(mounts, each, strict=True)}

    async def status(self, caller: Caller | None = None) -> Status:
        """The worst status of all sources; the message names each one that is not connected."""
        each = await self.statuses(caller)
        worst = min(each.values(), key=lambda status: _WORST_FIRST.index(status.state), default=Status())
        ill = [
            f"{slug}: {status.message or status.state}" for slug, status in each.items() if status.state != "connected"
        ]
        return Status(
            state=worst.state, code=worst.code, message="; ".join(ill), since=worst.since, next_retry=worst.next_retry
        )

    def version(self, caller: Caller) -> str:
        return repr([(mount.slug, mount.version(caller)) for mount in self._order()])

    def watch(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)

        def end() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return end

    def holds_until(self, caller: Caller) -> float | None:
        edges = (mount.holds_until(caller) for mount in self._order())
        return min((edge for edge in edges if edge is not None), default=None)

    async def subscribe(self, uri: str, caller: Caller, listener: Callable[[], None]) -> Callable[[], None]:
        return await (await self._route("resource", uri)).subscribe(uri, caller, listener)

    async def explain(
        self, key: str, caller: Caller, arguments: Mapping[str, Json] | None = None, *, kind: Kind = "tool"
    ) -> Sequence[Verdict]:
        try:
            prefix = await self._route(kind, key)
        except ToolNotFound as error:
            return [
                Verdict(layer="Router", allowed=False, code=error.code, message=f"no source has the slug of {key!r}")
            ]
        return await prefix.explain(key, caller, arguments, kind=kind)

    async def __aenter__(self) -> Self:
        if self._running:
            raise ConfigError("this Router was entered already: enter it once, where the gateway starts")
        self._running = True
        try:
            await Settled([mount.held.enter() for mount in self._order()]).within(self.start_timeout)
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()

    async def _leave(self) -> None:
        self._running = False
        mounts = self._order()
        await Settled([mount.held.leave() for mount in mounts])
        for mount in mounts:
            mount.renew()

    def _order(self) -> tuple[Mount, ...]:
        if self._sorted is None:
            self._sorted = tuple(self._mounts[slug] for slug in sorted(self._mounts))
        return self._sorted

    def _take(self, slug: str) -> Futures:
        mount = self._mounts.pop(slug)
        del self._slugs[id(mount.source)]
        self._sorted = None
        mount.unwatch()
        return [mount.held.leave()] if self._running else []

    async def _route(self, kind: Kind, key: str) -> Prefix:
        parts = split(kind, key)
        mount = self._mounts.get(parts[0]) if parts else None
        while parts and mount is not None and mount.held.entering:
            await mount.held.ready()
            mount = self._mounts.get(parts[0])  # it may have been removed or replaced in the meantime
        if mount is None or not mount.usable:
            raise ToolNotFound(key, kind)
        return mount.prefix

    def _tell(self, *kinds: Kind) -> None:
        for kind in kinds:
            for listener in tuple(self._listeners):
                try:
                    listener(kind)
                except Exception:  # one listener that fails must not keep the news from the others
                    logger.exception("a listener raised when the listing of %ss changed", kind)
