"""`Floor`: the integrations of one tenant as they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mcpbridge.gateway.lazy import Lazy
from mcpbridge.gateway.scope import scope_of
from mcpbridge.integrations.stored import StoredIntegration
from mcpbridge.router import Router
from mcpbridge.tools import Caller, Status
from mcpbridge.wrap.visible import Restrict


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """A tenant's integrations by slug as they stand, and what it switched off of those that are everybody's."""

    own: Mapping[str, StoredIntegration] = field(default_factory=dict[str, StoredIntegration])
    off: Mapping[str, StoredIntegration] = field(default_factory=dict[str, StoredIntegration])


class Floor:
    """Runs what a snapshot says. What did not change from one snapshot to the next is not touched.

    The router's sources are made ready with their first use, so that a floor of many costs little.
    """

    def __init__(self, make: Callable[[StoredIntegration], Lazy]) -> None:
        self.router = Router()
        self.snapshot = Snapshot()
        self.lazy: dict[str, Lazy] = {}
        self._make = make

    def hides(self, slug: str) -> bool:
        """Whether an integration of everybody's is not there for this tenant."""
        return slug in self.snapshot.off or slug in self.snapshot.own

    def show(self, snapshot: Snapshot) -> None:
        """Runs another snapshot from now on. What is gone is left when its calls under way have ended."""
        self.snapshot = snapshot
        for slug in [slug for slug in self.lazy if slug not in snapshot.own]:
            del self.lazy[slug]
            self.router.remove(slug)
        for slug, each in snapshot.own.items():
            known = self.lazy.get(slug)
            if known is None or not _same(known.stored, each):
                self.lazy[slug] = lazy = self._make(each)
                self.router.put(slug, Restrict(lazy, scope_of(each)))

    async def statuses(self, caller: Caller, *, everyone: bool) -> Mapping[str, Status]:
        """How each integration is that the caller may know of: for the caller, or at its worst for all."""
        shown: list[Lazy | Off] = [*self.lazy.values(), *(Off(each) for each in self.snapshot.off.values())]
        return {
            each.stored.name: await status_of(each, None if everyone else caller)
            for each in shown
            if scope_of(each.stored).refuses_caller(caller) is None
        }


@dataclass(frozen=True, slots=True)
class Off:
    """An integration of everybody's that the tenant switched off."""

    stored: StoredIntegration


async def status_of(each: Lazy | Off, caller: Caller | None) -> Status:
    """How an integration is: for a caller, or at its worst for all."""
    stored = each.stored
    if stored.enabled and isinstance(each, Lazy):
        return await each.status(caller)
    return Status(
        state="disabled",
        code="disabled",
        message=stored.record.reason or "is switched off",
        hint="Enable it to use it.",
        since=stored.updated_at or None,
    )


def _same(one: StoredIntegration, other: StoredIntegration) -> bool:
    return (one.id, one.revision, one.given) == (other.id, other.revision, other.given)
