"""What a record says of who may use it, as the scope that is applied; and its revision, as part of each item."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import ClassVar

from mcpbridge.integrations.stored import StoredIntegration
from mcpbridge.source.base import Answer, ToolSource, Wrapper
from mcpbridge.tools import Call, Caller, Item
from mcpbridge.wrap.visible_hours import Hours
from mcpbridge.wrap.visible_scope import Scope


def scope_of(stored: StoredIntegration) -> Scope:
    """Who may see the integration, what of it, and when. Those of the host's own are every tenant's."""
    record = stored.record
    return Scope(
        tenant=None if stored.system else stored.tenant,
        owner=None if record.visibility == "shared" else record.owner or "",
        agents=frozenset(record.agents),
        teams=frozenset(record.teams),
        environments=frozenset(record.environments),
        skills=record.skills,
        hours=tuple(Hours(zone=each.zone, days=each.days, start=each.start, end=each.end) for each in record.windows),
        enabled=stored.enabled,
        reason=record.reason,
        allowed=record.tools.enabled,
        blocked=record.tools.disabled,
        off=frozenset(record.tools.off),
    )


def revision_of(stored: StoredIntegration) -> str:
    """What changes with the integration, and is the same on every replica."""
    if not stored.system:
        return f"{stored.id}/{stored.revision}"
    text = json.dumps(stored.document, sort_keys=True)
    return f"{stored.id}/{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


class Stamp(Wrapper):
    """Every item with the revision of the integration in its origin.

    So an approval of a call ends when the integration is changed, whatever was changed.
    """

    remembered: ClassVar[int] = 50_000
    """How many items are kept as they are shown before they are made afresh."""

    def __init__(self, inner: ToolSource, revision: str) -> None:
        super().__init__(inner)
        self._revision = revision
        self._shown: dict[tuple[type, str], tuple[Item, Item]] = {}

    def show(self, item: Item, caller: Caller) -> Item:
        place = (type(item), item.key)
        known = self._shown.get(place)
        if known is not None and known[0] is item:
            return known[1]
        if len(self._shown) >= self.remembered:
            self._shown.clear()
        revision = f"{self._revision}/{item.origin.revision}"
        shown = replace(item, origin=replace(item.origin, revision=revision))
        self._shown[place] = (item, shown)
        return shown

    async def call(self, call: Call) -> Answer:
        return await self.inner.call(call)  # it hides and renames nothing, so no item is looked up for a call
