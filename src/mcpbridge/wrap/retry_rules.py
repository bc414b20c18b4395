"""What may be repeated, and what is said of a call that failed for good. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from mcpbridge.errors import Failure
from mcpbridge.tools import Call, Json, Tool

LOSSES = 2
"""How often one call may be lost after it left. What ends an upstream twice is not sent a third time."""

_WAITED = frozenset({"busy"})
"""Failures of calls that have waited already: repeating them would only make the queue longer."""

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_VERBS = frozenset(
    {
        "add",
        "cancel",
        "change",
        "create",
        "delete",
        "do",
        "edit",
        "get",
        "insert",
        "list",
        "make",
        "patch",
        "post",
        "put",
        "read",
        "remove",
        "replace",
        "search",
        "send",
        "set",
        "show",
        "start",
        "stop",
        "submit",
        "update",
        "upload",
        "upsert",
        "write",
    }
)


def is_safe(tool: Tool) -> bool:
    """Whether running the tool twice does no more than running it once: it reads, or it is idempotent.

    A label counts only where its source is trusted (MCP, "Tool annotations").
    """
    labels: Mapping[str, Json] = tool.extra.get("annotations") or {}
    return tool.access == "read" or (tool.origin.trusted and labels.get("idempotentHint") is True)


def is_lost(failure: Failure) -> bool:
    """Whether the call left and nobody knows what it did: no answer came, or a success broke off."""
    return failure.retryable and (failure.sent == "unknown" or 200 <= (failure.status or 0) < 300)


def may_repeat(failure: Failure, *, safe: bool) -> bool:
    """Whether the same call may be sent again after this failure.

    A call that left and was not answered in time has used up the deadline of its source.
    """
    if not failure.retryable or failure.code in _WAITED:
        return False
    return failure.sent == "no" or (safe and failure.code != "timeout")


def outcome_unknown(failure: Failure, call: Call, check: Tool | None) -> Failure:
    """A write of which nobody knows whether it was done. `check` is the tool that may tell."""
    shown = {"cause": failure.code, **({"check": check.name} if check is not None else {})}
    return replace(
        failure,
        code="outcome_unknown",
        message=f"{call.name!r} left, and whether it was done is unknown: {failure.message}",
        hint=check_hint(check.name if check is not None else None),
        retryable=False,
        sent="unknown",
        details={**failure.details, **shown},
    )


def check_hint(name: str | None) -> str:
    """What to do before the write is called again. `name` is that of a tool that reads."""
    means = f"call {name!r}" if name else "use a tool that reads"
    return f"It was not repeated. Before you call it again, {means} to see whether it was done."


def check_of(tool: Tool, others: Iterable[Tool]) -> Tool | None:
    """The tool that reads what this one writes: of the same origin, with the most words of its name in common."""
    words = _things(tool.name)
    best, most = None, 0.0
    for other in others:
        if other.access != "read" or other.origin.slug != tool.origin.slug:
            continue
        theirs = _things(other.name)
        likeness = len(words & theirs) - 0.1 * len(theirs - words)
        if words & theirs and likeness > most:
            best, most = other, likeness
    return best


def _things(name: str) -> frozenset[str]:
    """What a tool's name is about: its words without the slug and the verbs, in the singular."""
    words = (word.lower() for word in _WORD.findall(name.partition("__")[2] or name))
    return frozenset(word.removesuffix("s") for word in words if word not in _VERBS)
