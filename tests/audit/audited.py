"""What the tests of the audit share."""

from __future__ import annotations

from dataclasses import replace

from mcpbridge.tools import Caller
from mcpbridge.wrap.audit_event import AuditEvent

ADA = Caller(tenant="acme", user="ada", teams=frozenset({"ops"}))

CANCELLED = AuditEvent(kind="call", what="orders__cancel", action="tool", outcome="ok", at=1.5, caller=ADA)
"""A finished call of Ada's."""


def events(count: int) -> list[AuditEvent]:
    """So many calls of Ada's, each of another tool."""
    return [replace(CANCELLED, what=f"tool_{number}") for number in range(count)]
