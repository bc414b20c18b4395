"""The values of an audit: what happened, its one line of text, and the chain of hashes. Pure."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, cast

from mcpbridge.tools import ANYONE, Caller

AuditKind: TypeAlias = Literal["call", "decision", "login", "change", "gap"]
"""`gap` says that events were lost while the audit could not be written."""

AuditOutcome: TypeAlias = Literal["started", "ok", "asked", "refused", "failed", "unknown"]

TEXT = 300
"""Characters of a name or a reason that are kept."""

_LINE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, default=str)

START = "0" * 64
"""What stands for the hash before a chain's first entry."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEvent:
    """Who did what, when, how it ended and why.

    kind     what it was: see `AuditKind`
    what     the tool's name, the resource's URI, the record's id
    action   what was done with it: `tool`, `resource` …, `create`, `delete`, `approve`
    outcome  see `AuditOutcome`; a write is recorded twice, `started` and how it ended
    reason   a stable code: of the failure, or of the rule that decided
    at       seconds of the Unix epoch
    call     correlation id of the call
    digests  SHA-256 (hex) of what is never written down, such as the arguments
    details  further facts, JSON; never arguments, bodies or secrets
    """

    kind: AuditKind
    what: str
    action: str
    outcome: AuditOutcome
    at: float
    caller: Caller = ANYONE
    reason: str = ""
    call: str = ""
    digests: Mapping[str, str] = field(default_factory=dict[str, str])
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def to_json(self) -> dict[str, Any]:
        """A JSON object with the members that are set. The caller's token is no part of it."""
        caller = self.caller
        who = {
            "tenant": caller.tenant,
            "user": caller.user,
            "agent": caller.agent,
            "skill": caller.skill,
            "environment": caller.environment,
            "teams": sorted(caller.teams),
            "roles": sorted(caller.roles),
        }
        shown = {
            "at": round(self.at, 6),
            "kind": self.kind,
            "what": _short(self.what),
            "action": self.action,
            "outcome": self.outcome,
            "who": {name: _short(value) if isinstance(value, str) else value for name, value in who.items() if value},
            "reason": _short(self.reason),
            "call": _short(self.call),
            "digests": dict(self.digests),
            "details": dict(self.details),
        }
        return {name: value for name, value in shown.items() if value not in ("", {})}


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """One event as it stands in the chain of one writer.

    `number` counts from 1. `line` is the event as one line of JSON. `hash` (SHA-256, hex) covers the writer, the
    number, the line, and by `previous` everything before it.
    """

    writer: str
    number: int
    line: str
    previous: str
    hash: str

    def event(self) -> dict[str, Any]:
        """The event as JSON."""
        return cast("dict[str, Any]", json.loads(self.line))


@dataclass(frozen=True, kw_only=True, slots=True)
class ChainEnd:
    """How far a writer's chain goes. Kept elsewhere, it shows later that nothing was cut off the end."""

    writer: str
    number: int = 0
    hash: str = START


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditProblem:
    """The first entry of a writer's chain that is not as it was written."""

    writer: str
    number: int
    message: str


class AuditSink(Protocol):
    """Where events are written down. `append` gives when all of them are, and raises when none is."""

    async def append(self, events: Sequence[AuditEvent]) -> None: ...


def line_of(event: AuditEvent) -> str:
    """The event as one line of ASCII."""
    return to_line(event.to_json())


def to_line(shown: Mapping[str, Any]) -> str:
    """One line of ASCII: whatever a name holds, it can't begin another line or steer a terminal (CWE-117)."""
    return _LINE.encode(shown)


def chained(end: ChainEnd, events: Iterable[AuditEvent]) -> list[AuditEntry]:
    """The entries of these events after the chain's end."""
    entries = list[AuditEntry]()
    number, previous = end.number, end.hash
    for event in events:
        number, line = number + 1, line_of(event)
        linked = link(end.writer, number, line, previous)
        entries.append(AuditEntry(writer=end.writer, number=number, line=line, previous=previous, hash=linked))
        previous = linked
    return entries


def end_of(entries: Sequence[AuditEntry]) -> ChainEnd:
    """The end of a chain whose last entries these are."""
    last = entries[-1]
    return ChainEnd(writer=last.writer, number=last.number, hash=last.hash)


def link(writer: str, number: int, line: str, previous: str) -> str:
    """The hash (SHA-256, hex) of one entry."""
    text = f"{previous} {number} {len(writer)} {writer} {line}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def broken(entry: AuditEntry, end: ChainEnd) -> str:
    """What is wrong with an entry that should follow the end, or nothing."""
    if entry.number != end.number + 1:
        return f"entry {end.number + 1} is missing"
    if not hmac.compare_digest(entry.previous, end.hash):
        return "it does not follow the entry before it: one of them was changed"
    if not hmac.compare_digest(entry.hash, link(entry.writer, entry.number, entry.line, end.hash)):
        return "it was changed"
    return ""


def _short(text: str) -> str:
    return text if len(text) <= TEXT else f"{text[: TEXT - 1]}…"
