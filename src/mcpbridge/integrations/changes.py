"""Changes of integrations, as the audit has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from mcpbridge.integrations.hooks import Action
from mcpbridge.integrations.stored import StoredIntegration
from mcpbridge.tools import Caller
from mcpbridge.wrap.audit_event import AuditEvent

Change: TypeAlias = tuple[Action, StoredIntegration, Sequence[str]]
"""What was done, the integration after it, and which fields changed."""


def event_of(caller: Caller, at: float, change: Change) -> AuditEvent:
    """The event of a change: names of fields, never their values."""
    action, made, fields = change
    details: dict[str, Any] = {"name": made.name, "revision": made.revision, "fields": [*fields]}
    return AuditEvent(kind="change", what=made.id, action=action, outcome="ok", at=at, caller=caller, details=details)
