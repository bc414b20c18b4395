"""`mcpbridge diff`: what a changed description means for those who call its tools."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from mcpbridge.cli.described import counted, looked_at, print_json
from mcpbridge.cli.opening import tell_problems, watched
from mcpbridge.cli.outcome import DONE, FAILED, one_line
from mcpbridge.compare.changes import Change, Effect
from mcpbridge.compare.tools import diff as difference
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.tool import to_tool
from mcpbridge.tools import Tool

_ORDER: Sequence[Effect] = ("removed", "breaking", "access_lowered", "added", "compatible", "text")


async def diff(old: str, new: str, *, as_json: bool) -> int:
    """Shows what changed from one description to another, what breaks first; fails where something breaks.

    Raises: ConfigError for a description that can't be read.
    """
    changes = sorted(difference(_tools(old), _tools(new)), key=lambda change: _ORDER.index(change.effect))
    breaking = sum(change.breaks for change in changes)
    if as_json:
        print_json({"breaking": breaking, "changes": [_shown(change) for change in changes]})
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(changes))
        sys.stdout.write(f"{counted(len(changes), 'change')}, {breaking} breaking\n")
    return FAILED if breaking else DONE


def _tools(text: str) -> Sequence[Tool]:
    with looked_at(text) as document, watched(f"Making tools of {text} …"):
        tools = [to_tool(operation, output_schema=True) for operation in read_operations(document)]
        tell_problems(document.reading.problems.found, text)
    return tools


def _lines(changes: Sequence[Change]) -> Sequence[str]:
    lines: list[str] = []
    for effect in _ORDER:
        of_it = [change for change in changes if change.effect == effect]
        if of_it:
            lines.append(f"{effect.replace('_', ' ')}: {len(of_it)}")
        lines += ["  " + one_line(f"{change.tool}{_place(change)}: {change.message}") for change in of_it]
    return lines


def _place(change: Change) -> str:
    return f" {change.pointer}" if change.pointer else ""


def _shown(change: Change) -> dict[str, Any]:
    return {
        "id": change.id,
        "effect": change.effect,
        "tool": change.tool,
        "pointer": change.pointer,
        "message": change.message,
        "breaks": change.breaks,
    }
