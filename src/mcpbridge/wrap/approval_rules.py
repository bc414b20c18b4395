"""What time and persons may do to a request for approval. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mcpbridge.tools import Caller
from mcpbridge.wrap.approval import CLAIM, ApprovalRequest, ApprovalState, DecisionRefused

RANKS: tuple[ApprovalState, ...] = ("approved", "denied", "pending", "expired")
"""Which of several requests for the same call counts: the first of these states, then the newest."""

IN_DOUBT: tuple[ApprovalState, ...] = ("claimed", "unknown")
"""The states of a call that was let through, and of which nobody has said how it ended."""


def aged(request: ApprovalRequest, now: float, *, claim: float = CLAIM) -> ApprovalRequest:
    """The request as it stands at this time: nobody has to come by for it to expire."""
    if request.state in {"pending", "approved"} and now >= request.expires:
        return replace(request, state="expired")
    if request.state == "claimed" and now >= request.expires + claim:
        return replace(request, state="unknown")
    return request


def unchanged(now: ApprovalRequest, old: ApprovalRequest) -> bool:
    """Whether a request still is as it was read. Who claimed it may finish it however late that is."""
    return now.version == old.version and (old.state == "claimed" or now.state == old.state)


def counting(requests: Iterable[ApprovalRequest], now: float) -> ApprovalRequest | None:
    """Of the queued requests for one call, as they stand now, the one that counts; a no holds until it expires."""
    open_ones = [one for one in requests if one.queued and one.state in RANKS]
    held = [one for one in open_ones if one.state != "denied" or now < one.expires]
    return min(held, key=lambda one: (RANKS.index(one.state), -one.created), default=None)


def name_of(by: str | Caller) -> str:
    """Whose name stands on a decision."""
    return by if isinstance(by, str) else by.user or by.agent or ""


def check_decider(request: ApprovalRequest, by: str | Caller, *, approved: bool) -> None:
    """Passes whoever may give this decision.

    Raises: DecisionRefused for a yes of who asked, or of nobody, where the requester is barred.
    """
    if not (approved and request.barred):
        return
    name = name_of(by)
    if not name or name in request.caller[1:3]:
        raise DecisionRefused(
            f"{request.id}: who asked for {request.tool!r} may not approve it: have somebody else decide, by name"
        )
