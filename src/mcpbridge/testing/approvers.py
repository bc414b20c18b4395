"""Approvers that decide by themselves, for `Approve(…, approver=…)` and `guarded(…, approver=…)` in tests."""

from __future__ import annotations

from mcpbridge.tools import Call
from mcpbridge.wrap.approval import ApprovalRequest, Decision


def approve_all(_request: ApprovalRequest, _call: Call) -> Decision:
    """A yes to every call."""
    return Decision(approved=True, by="approve_all")


def deny_all(_request: ApprovalRequest, _call: Call) -> Decision:
    """A no to every call."""
    return Decision(approved=False, by="deny_all", reason="deny_all says no to everything")
