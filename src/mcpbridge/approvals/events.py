"""What becomes of an approval, as the audit has it: one event for each change of its state. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from mcpbridge.tools import Caller
from mcpbridge.wrap.approval import ApprovalRequest, ApprovalState
from mcpbridge.wrap.audit_event import TEXT, AuditEvent, AuditOutcome

_STEPS: Mapping[tuple[ApprovalState | None, ApprovalState], tuple[str, AuditOutcome]] = {
    (None, "pending"): ("ask", "asked"),
    ("pending", "approved"): ("approve", "ok"),
    ("pending", "denied"): ("deny", "refused"),
    ("approved", "denied"): ("deny", "refused"),
    ("pending", "expired"): ("expire", "failed"),
    ("approved", "claimed"): ("claim", "started"),
    ("claimed", "approved"): ("give_back", "ok"),
    ("claimed", "done"): ("finish", "ok"),
    ("claimed", "unknown"): ("lose", "unknown"),
    ("unknown", "done"): ("resolve", "ok"),
    ("unknown", "approved"): ("resolve", "ok"),
}
"""Which change is which action, and its outcome."""

_BY_OTHERS = frozenset({"approve", "deny", "resolve"})


def event_of(old: ApprovalRequest | None, new: ApprovalRequest, at: float) -> AuditEvent | None:
    """The event of a change, None where the state stays: who decided, or whose call it was."""
    step = _STEPS.get((old.state if old else None, new.state))
    if step is None:
        return None
    action, outcome = step
    tenant, user, agent, skill = new.caller
    asked = Caller(tenant=tenant, user=user, agent=agent, skill=skill)
    who = Caller(tenant=tenant, user=new.by or None) if action in _BY_OTHERS else asked
    details = {"approval": new.id, "state": new.state, "asked_by": user or agent or "", "reason": new.reason[:TEXT]}
    return AuditEvent(
        kind="decision",
        what=new.tool,
        action=action,
        outcome=outcome,
        at=at,
        caller=who,
        call=new.call,
        digests={"arguments": new.arguments_digest, "definition": new.definition},
        details=details,
    )
