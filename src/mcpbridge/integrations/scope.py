"""Who may see an integration, as its record says."""

from __future__ import annotations

from mcpbridge.integrations.record import Integration
from mcpbridge.wrap.visible_hours import Hours
from mcpbridge.wrap.visible_scope import Scope


def scope_of(record: Integration, *, tenant: str | None) -> Scope:
    """The scope that a record means; `tenant` is the one that it belongs to, None for one of every tenant."""
    return Scope(
        tenant=tenant,
        owner=(record.owner or "") if record.visibility == "private" else None,
        agents=frozenset(record.agents),
        teams=frozenset(record.teams),
        environments=frozenset(record.environments),
        skills=record.skills,
        hours=tuple(Hours(zone=each.zone, days=each.days, start=each.start, end=each.end) for each in record.windows),
        enabled=record.enabled,
        reason=record.reason,
        allowed=record.tools.enabled,
        blocked=record.tools.disabled,
        off=frozenset(record.tools.off),
    )
