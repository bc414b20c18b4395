"""What becomes of logins, in the audit of their gateway."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mcpbridge.tools import Caller
from mcpbridge.wrap.audit_event import AuditEvent, AuditOutcome
from mcpbridge.wrap.audit_log import AuditLog

if TYPE_CHECKING:
    from mcpbridge.auth.oauth.events import OAuthEvent
    from mcpbridge.auth.oauth.setting import OAuthHost

_OUTCOMES: Final[Mapping[str, AuditOutcome]] = {"login_begun": "asked", "reconnect_required": "failed"}
"""How these end; all others went well."""


def audited(host: OAuthHost, log: AuditLog) -> OAuthHost:
    """The same setting, whose events go into the audit before the host's own listener hears them.

    They wait in the log's queue, so that a login or a refresh does not wait for a disk.
    """

    def note(event: OAuthEvent) -> Awaitable[None] | None:
        log.note(entry_of(event, at=log.clock()))
        return None if host.listener is None else host.listener(event)

    return replace(host, listener=note)


def entry_of(event: OAuthEvent, *, at: float) -> AuditEvent:
    """The event as the audit has it: `what` is the integration's id, `action` the event's kind."""
    details = {"server": event.server, "detail": event.detail}
    outcome: AuditOutcome = _OUTCOMES.get(event.kind, "ok")
    return AuditEvent(
        kind="login",
        what=event.integration,
        action=event.kind,
        outcome=outcome,
        reason=event.kind if outcome == "failed" else "",
        at=at,
        caller=Caller(tenant=event.tenant, user=event.user or None),
        details={name: text for name, text in details.items() if text},
    )
