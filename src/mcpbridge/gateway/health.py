"""How an integration is, as its calls have shown: one state machine, from what happened to a status. Pure.

::

    pending ──▶ connecting ──▶ connected ◀──▶ failed
       ▲             │             │  ▲
       │             ▼             ▼  │
    disabled       failed     auth_required, reconnect_required

`auth_required` is no fault: a person has to log in. `reconnect_required` is: the credential that is there was refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mcpbridge.errors import Failure
from mcpbridge.tools import Caller, State, Status

WORST_FIRST: Sequence[State] = (
    "failed",
    "reconnect_required",
    "auth_required",
    "connecting",
    "pending",
    "disabled",
    "connected",
)

_USABLE = frozenset({"connected", "pending"})
"""What can be used, or was not tried yet."""

_NAMED = 20
"""Integrations that one message names at most."""

_DOWN = frozenset({"unreachable", "tls", "address_refused", "auth_failed"})
"""Codes of a call that could not even leave, whichever call it was."""

_UNSURE = frozenset({"timeout", "connection_lost", "busy", "integration_changed"})
"""Codes that tell of one call alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """An integration's status changed. `caller` is whose, None where it is the same for all."""

    tenant: str
    name: str
    before: Status
    after: Status
    caller: Caller | None = None


_LOG_IN = "A person has to log in, or an operator to give the integration a credential."

_HINTS: Mapping[State, str] = {
    "auth_required": _LOG_IN,
    "failed": "It is tried again with the next use; reconnect tries at once.",
}


def worst(each: Iterable[Status]) -> Status:
    """The worst of several; connected where there is none."""
    return min(each, key=lambda status: WORST_FIRST.index(status.state), default=Status())


def summed(statuses: Mapping[str, Status]) -> Status:
    """The worst of several integrations, by slug; the message names those that can't be had now, twenty at most."""
    ill = [f"{slug}: {each.message or each.state}" for slug, each in statuses.items() if each.state not in _USABLE]
    more = [f"and {len(ill) - _NAMED} more"] if len(ill) > _NAMED else []
    return replace(worst(statuses.values()), message="; ".join([*ill[:_NAMED], *more]))


def hinted(status: Status, known: Iterable[Status]) -> Status:
    """The status with what to do about it, where what is known of the same state says so."""
    hints = (each.hint for each in known if each.state == status.state and each.hint)
    return replace(status, hint=status.hint or next(hints, _HINTS.get(status.state, "")))


def unstarted(failure: Failure, *, at: float, next_retry: float | None) -> Status:
    """The status of what could not be made ready; it is tried again with the first use from `next_retry` on."""
    state: State = "auth_required" if failure.code == "auth_required" else "failed"
    return Status(
        state=state,
        code=failure.code,
        message=failure.message,
        hint=failure.hint,
        since=at,
        next_retry=next_retry,
    )


def after_call(old: Status, failure: Failure | None, *, at: float, signed: bool) -> Status:
    """The status after a call that ended like this; `signed` says whether the record has a credential.

    An answer of any other kind shows that the upstream is there.
    """
    if failure is None:
        return _moved(old, Status(state="connected", since=at))
    if failure.code in _UNSURE:
        return old
    if failure.code in _DOWN:
        told = Status(state="failed", code=failure.code, message=failure.message, hint=failure.hint, since=at)
        return _moved(old, told)
    if failure.code in ("auth_required", "reconnect_required"):
        return _moved(old, replace(_asked(failure), since=at))
    if failure.status == 401:
        return _moved(old, replace(_refused(failure) if signed else _asked(failure), since=at))
    return _moved(old, Status(state="connected", since=at))


def _asked(failure: Failure) -> Status:
    """A login is missing, or was ended."""
    state: State = "reconnect_required" if failure.code == "reconnect_required" else "auth_required"
    return Status(state=state, code=state, message=failure.message, hint=failure.hint or _LOG_IN)


def _refused(failure: Failure) -> Status:
    return Status(
        state="reconnect_required",
        code="credential_refused",
        message=failure.message,
        hint="The upstream refuses the stored credential: give a new one, then reconnect.",
    )


def _moved(old: Status, new: Status) -> Status:
    """The new status; the old one where nothing but the time differs."""
    return old if (old.state, old.code) == (new.state, new.code) else new
