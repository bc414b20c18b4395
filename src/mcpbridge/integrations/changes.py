"""Changes of integrations, as the audit has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mcpbridge.integrations.hooks import Action
from mcpbridge.integrations.stored import StoredIntegration
from mcpbridge.tools import Caller
from mcpbridge.wrap.audit_event import AuditEvent

_TOLD = 100
"""Places that one event names at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What was done, the integration after it, which fields changed, and where it asks less than before."""

    action: Action
    made: StoredIntegration
    fields: Sequence[str] = ()
    relaxed: Sequence[str] = ()


def events_of(caller: Caller, at: float, change: Change) -> Iterator[AuditEvent]:
    """The event of a change: names of fields, never their values. Asking less is an event of its own, `relax`."""
    made = change.made
    about: dict[str, Any] = {"name": made.name, "revision": made.revision}
    details = {**about, "fields": [*change.fields]}
    yield _event(caller, at, change.action, made.id, details)
    if change.relaxed:
        details = {**about, "relaxed": [*change.relaxed[:_TOLD]], "places": len(change.relaxed)}
        yield _event(caller, at, "relax", made.id, details)


def _event(caller: Caller, at: float, action: str, id: str, details: dict[str, Any]) -> AuditEvent:
    return AuditEvent(kind="change", what=id, action=action, outcome="ok", at=at, caller=caller, details=details)
