"""A source for agents to work on: words that can be looked up, and removed after a yes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import mcp_types

from mcpbridge import Caller, Functions, PendingApprovals, ToolSource, ask, guarded

ADA = Caller(user="ada")


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """The source, its gate's requests, and what was removed in the end."""

    source: ToolSource
    approvals: PendingApprovals
    removed: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def words() -> Words:
    removed: list[dict[str, Any]] = []

    def look_up(word: str, config: int = 3) -> dict[str, Any]:
        """Looks a word up."""
        return {"word": word, "config": config}

    def remove(word: str, reason: str = "none") -> str:
        """Removes a word."""
        removed.append({"word": word, "reason": reason})
        return f"removed {word}"

    def break_down() -> str:
        """Always fails."""
        raise RuntimeError("secret inside")

    def question() -> mcp_types.InputRequiredResult:
        """Asks something that is no approval."""
        params = mcp_types.ElicitRequestFormParams(message="Which?", requested_schema={"type": "object"})
        return ask("upstream", {"x/approve.approve": mcp_types.ElicitRequest(params=params)}, None)

    approvals = PendingApprovals()
    functions = Functions(remove, reads=[look_up, break_down, question])
    return Words(source=guarded(functions, approvals=approvals), approvals=approvals, removed=removed)
