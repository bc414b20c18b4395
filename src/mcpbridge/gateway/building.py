"""`Building`: the floors of all tenants as one source. What a tenant does not have is asked of the common floor."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from mcpbridge.errors import ToolNotFound
from mcpbridge.gateway.floor import Floor, Snapshot
from mcpbridge.gateway.health import summed, worst
from mcpbridge.gateway.lazy import Lazy
from mcpbridge.integrations.stored import StoredIntegration
from mcpbridge.router import Router
from mcpbridge.source.base import Answer, Listener, ToolSource, Verdict
from mcpbridge.tools import Call, Caller, Item, Json, Kind, Status
from mcpbridge.wrap.naming import split

logger = logging.getLogger(__name__)


class Building(ToolSource):
    """One floor for each tenant that has integrations of its own, made when it is first entered, and the common one."""

    def __init__(self, make: Callable[[StoredIntegration], Lazy], sources: Mapping[str, ToolSource]) -> None:
        self.common = Floor(make)
        self._make = make
        self._host = dict(sources)
        for slug, source in sources.items():
            self.common.router.put(slug, source)
        self._snapshots: dict[str, Snapshot] = {}
        self._floors: dict[str, Floor] = {}
        self._listeners: list[Listener] = []
        self.common.router.watch(self._tell)

    def show(self, tenant: str, snapshot: Snapshot) -> None:
        """What a tenant has from now on."""
        self._snapshots[tenant] = snapshot
        if (floor := self._floors.get(tenant)) is not None:
            floor.show(snapshot)

    async def floor(self, tenant: str) -> Floor | None:
        """The tenant's floor; None for one that has nothing of its own."""
        floor, snapshot = self._floors.get(tenant), self._snapshots.get(tenant)
        if floor is None and snapshot is not None:
            floor = self._floors[tenant] = Floor(self._make)
            floor.show(snapshot)
            floor.router.watch(self._tell)
            await floor.router.__aenter__()
        return floor

    async def find(self, tenant: str, slug: str) -> Lazy | None:
        """The integration that runs under this slug for the tenant."""
        floor = await self.floor(tenant)
        if floor is not None and (slug in floor.lazy or floor.hides(slug)):
            return floor.lazy.get(slug)
        return self.common.lazy.get(slug)

    def known(self, tenant: str, slug: str) -> Lazy | None:
        """As `find`, of what was made already."""
        floor = self._floors.get(tenant)
        if floor is not None and (slug in floor.lazy or floor.hides(slug)):
            return floor.lazy.get(slug)
        return self.common.lazy.get(slug)

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        floor = await self.floor(caller.tenant)
        items = await self.common.router.list(kind, caller)
        if floor is None:
            return items
        return [*_without(items, kind, floor), *await floor.router.list(kind, caller)]

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        return await (await self._router(kind, key, caller)).get(kind, key, caller)

    async def call(self, call: Call) -> Answer:
        return await (await self._router(*call.target(), call.caller)).call(call)

    async def statuses(self, caller: Caller, *, everyone: bool = False) -> Mapping[str, Status]:
        """How each integration and source is that the caller may know of, by slug."""
        floor = await self.floor(caller.tenant)
        common = dict(await self.common.statuses(caller, everyone=everyone))
        mounted = await self.common.router.statuses(None if everyone else caller)
        common |= {slug: mounted[slug] for slug in self._host}
        if floor is not None:
            common = {slug: status for slug, status in common.items() if not floor.hides(slug)}
            common |= await floor.statuses(caller, everyone=everyone)
        return dict(sorted(common.items()))

    async def status(self, caller: Caller | None = None) -> Status:
        if caller is not None:
            return summed(await self.statuses(caller))
        floors = [self.common, *self._floors.values()]
        return worst([await lazy.status() for floor in floors for lazy in floor.lazy.values()])

    def version(self, caller: Caller) -> str:
        floor = self._floors.get(caller.tenant)
        own = "" if floor is None else f"{floor.router.version(caller)}{sorted(floor.snapshot.off)}"
        return f"{self.common.router.version(caller)}|{own}"

    def watch(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)

        def end() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return end

    def holds_until(self, caller: Caller) -> float | None:
        floors = [self.common, self._floors.get(caller.tenant)]
        edges = [floor.router.holds_until(caller) for floor in floors if floor is not None]
        return min((edge for edge in edges if edge is not None), default=None)

    async def subscribe(self, uri: str, caller: Caller, listener: Callable[[], None]) -> Callable[[], None]:
        return await (await self._router("resource", uri, caller)).subscribe(uri, caller, listener)

    async def explain(
        self, key: str, caller: Caller, arguments: Mapping[str, Json] | None = None, *, kind: Kind = "tool"
    ) -> Sequence[Verdict]:
        try:
            router = await self._router(kind, key, caller)
        except ToolNotFound as error:
            return [Verdict(layer="Gateway", allowed=False, code=error.code, message=f"there is no {kind} {key!r}")]
        return await router.explain(key, caller, arguments, kind=kind)

    async def __aenter__(self) -> Self:
        await self.common.router.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        floors, self._floors = [self.common, *self._floors.values()], {}
        for floor in floors:
            await floor.router.__aexit__(kind, error, trace)

    async def _router(self, kind: Kind, key: str, caller: Caller) -> Router:
        """The router that has what the key names. Raises: ToolNotFound where the tenant switched it off."""
        floor = await self.floor(caller.tenant)
        if floor is None:
            return self.common.router
        slug = (split(kind, key) or ("",))[0]
        if slug in floor.lazy:
            return floor.router
        if floor.hides(slug):
            raise ToolNotFound(key, kind)
        return self.common.router

    def _tell(self, kind: Kind) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(kind)
            except Exception:  # one listener that fails must not keep the news from the others
                logger.exception("a listener raised when the listing of %ss changed", kind)


def _without(items: Sequence[Item], kind: Kind, floor: Floor) -> Sequence[Item]:
    """The common items, but for those that the tenant switched off, or has something of its own in the place of."""
    if not floor.snapshot.off and not floor.snapshot.own:
        return items
    return [item for item in items if not floor.hides((split(kind, item.key) or ("",))[0])]
