"""A difference as lines for a person, and as JSON for a program. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from mcpbridge.compare.changes import Change, Effect
from mcpbridge.openapi.wording import clean

ORDER: Sequence[Effect] = ("removed", "breaking", "access_lowered", "added", "compatible", "text")
"""What breaks first."""

LONGEST = 500
"""Characters of one line."""


def report(changes: Sequence[Change]) -> Sequence[str]:
    """Lines: the changes under a heading for each effect, what breaks first, and how many there are at the end."""
    lines: list[str] = []
    for effect in ORDER:
        of_it = [change for change in changes if change.effect == effect]
        if of_it:
            lines.append(f"{effect.replace('_', ' ')}: {len(of_it)}")
        lines += [f"  {_line(change)}" for change in of_it]
    breaking = sum(change.breaks for change in changes)
    return [*lines, f"{len(changes)} {'change' if len(changes) == 1 else 'changes'}, {breaking} breaking"]


def as_json(changes: Sequence[Change]) -> dict[str, Any]:
    """One JSON object: how many changes there are of each effect, and the changes, what breaks first."""
    counts = Counter(change.effect for change in changes)
    return {
        "breaking": sum(change.breaks for change in changes),
        "effects": {effect: counts[effect] for effect in ORDER if counts[effect]},
        "changes": [_shown(change) for change in sorted(changes, key=lambda change: ORDER.index(change.effect))],
    }


def _line(change: Change) -> str:
    place = f" {change.pointer}" if change.pointer else ""
    line = " ".join(clean(f"{change.tool}{place}: {change.message}").split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def _shown(change: Change) -> dict[str, Any]:
    return {
        "id": change.id,
        "effect": change.effect,
        "tool": change.tool,
        "pointer": change.pointer,
        "message": change.message,
        "breaks": change.breaks,
    }
