"""`Restrict`: a source of which each caller sees what its scope lets through, while it is open."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from mcpbridge.errors import SourceDisabled, ToolNotFound
from mcpbridge.source.base import Answer, Hidden, ToolSource, Verdict, Wrapper
from mcpbridge.tools import Call, Caller, Item, Json, Kind, Status
from mcpbridge.wrap.checks import renamed_check
from mcpbridge.wrap.visible_hours import Hours, is_open, next_edge
from mcpbridge.wrap.visible_scope import Scope

_CLOSED = Hidden(code="outside_hours", message="is closed at this time")


class Restrict(Wrapper):
    """The source as far as a `Scope` shows it; what it hides can't be listed, got or called.

    A caller who sees nothing of the source does not make it connect either, and is not told how it is. Of one that is
    disabled nothing is listed; a call says so, to those who could see it otherwise. The scope goes by the source's own
    names: put this inside `Prefix` and `Router`. `clock` gives seconds of the Unix epoch.

    Raises, from `get` and `call`: SourceDisabled, which is a ToolNotFound.
    """

    remembered: ClassVar[int] = 100
    """How many listings are kept, one for each kind and skill: of the caller, the names go by the skill alone."""

    def __init__(self, inner: ToolSource, scope: Scope, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(inner)
        self.scope = scope
        self._times = _Timetable(scope.hours)
        self._clock = clock
        self._listed: dict[tuple[Kind, str | None], tuple[Sequence[Item], tuple[Item, ...]]] = {}

    def show(self, item: Item, caller: Caller) -> Item | Hidden:
        return self._shut(caller) or self.scope.refuses_item(item.key, caller) or item

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        if self._shut(caller):
            return ()
        items = await self.inner.list(kind, caller)
        if not self.scope.names_items:
            return items
        known = self._listed.get((kind, caller.skill))
        if known is not None and known[0] is items:
            return known[1]
        shown = tuple(item for item in items if self.scope.refuses_item(item.key, caller) is None)
        if isinstance(items, tuple):  # a list may be another one when it is given again
            if len(self._listed) >= self.remembered:
                self._listed.clear()
            self._listed[kind, caller.skill] = (items, shown)
        return shown

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        if self._refuses(caller):
            raise ToolNotFound(key, kind)
        if not self.scope.enabled:
            refused = self.scope.refuses_item(key, caller)
            raise ToolNotFound(key, kind) if refused else SourceDisabled(key, kind, reason=self.scope.reason)
        return await super().get(kind, key, caller)

    async def call_item(self, item: Item | None, call: Call) -> Answer:
        return await renamed_check(await self.inner.call(call), self, call.caller)

    async def status(self, caller: Caller | None = None) -> Status:
        """How the source is. Of one that a caller can't see there is nothing to tell."""
        if caller is not None and self._refuses(caller):
            return Status()
        if not self.scope.enabled:
            return Status(state="disabled", code="disabled", message=self.scope.reason)
        return await self.inner.status(caller)

    def version(self, caller: Caller) -> str:
        return f"{self.inner.version(caller)}/{'shut' if self._shut(caller) else 'open'}"

    def holds_until(self, caller: Caller) -> float | None:
        if self.scope.refuses_caller(caller) or not self.scope.enabled:
            return None
        edges = (self._times.until(self._clock()), self.inner.holds_until(caller))
        return min((edge for edge in edges if edge is not None), default=None)

    async def explain(
        self, key: str, caller: Caller, arguments: Mapping[str, Json] | None = None, *, kind: Kind = "tool"
    ) -> Sequence[Verdict]:
        if shut := self._shut(caller):
            return [Verdict(layer=type(self).__name__, allowed=False, code=shut.code, message=shut.message)]
        return await super().explain(key, caller, arguments, kind=kind)

    def _refuses(self, caller: Caller) -> Hidden | None:
        """Why the caller is not to know of the source at this time."""
        if refused := self.scope.refuses_caller(caller):
            return refused
        return None if self._times.is_open(self._clock()) else _CLOSED

    def _shut(self, caller: Caller) -> Hidden | None:
        """Why the caller sees nothing of the source at this time."""
        if refused := self._refuses(caller):
            return refused
        return None if self.scope.enabled else Hidden(code="disabled", message=_disabled(self.scope.reason))


class _Timetable:
    """Opening hours, with the answer kept for as long as it is the same: a call compares two numbers."""

    def __init__(self, hours: Sequence[Hours]) -> None:
        self._hours = hours
        self._since, self._until, self._open = 0.0, 0.0, True

    def is_open(self, at: float) -> bool:
        if self._hours and not self._since <= at < self._until:
            self._look(at)
        return self._open

    def until(self, at: float) -> float | None:
        """When it opens or closes next."""
        if not self._hours:
            return None
        self.is_open(at)
        return self._until

    def _look(self, at: float) -> None:
        edge = next_edge(self._hours, at)
        self._since, self._until = at, at + 86_400.0 if edge is None else edge
        self._open = is_open(self._hours, at)


def _disabled(reason: str) -> str:
    return f"is disabled: {reason}" if reason else "is disabled"
