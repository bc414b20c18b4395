"""The decision table of docs/approvals.md, tried row by row with the very code that decides."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias, cast

import mcp_types
import pytest

from contract import Things
from mcpbridge.gateway.rulings import by_record
from mcpbridge.integrations.parts import Mode
from mcpbridge.policy import Policy, ask_always, read_only, reads_run_writes_ask
from mcpbridge.source.answer import error_of
from mcpbridge.tools import Call, Tool
from mcpbridge.upstream.items import item_of
from mcpbridge.wrap.approve import Approve

PAGE = Path(__file__).parents[2] / "docs/approvals.md"
HEAD = "| mode | upstream says | trusted | policy | a call |"
POLICIES: Mapping[str, Policy] = {
    "reads_run_writes_ask": reads_run_writes_ask,
    "ask_always": ask_always,
    "read_only": read_only,
}
ENDS = {"runs": None, "asks": "approval_required", "is refused": "policy_denied"}

Situation: TypeAlias = tuple[Mode, Literal["read", "write"], Literal["yes", "no"], str]
"""The mode of a record, what the upstream says of its tool, whether it is trusted, and the policy."""


def _situations() -> list[tuple[Situation, str]]:
    """Each situation of the table, and what it says of a call."""
    lines = PAGE.read_text("utf-8").split(HEAD)[1].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[: lines.index("")]]
    return [
        (cast("Situation", situation), end)
        for *cells, end in rows
        for situation in itertools.product(*(cell.split(", ") for cell in cells))
    ]


SITUATIONS = _situations()


def test_the_table_tells_every_situation_once() -> None:
    every = itertools.product(("default", "ask", "auto"), ("read", "write"), ("yes", "no"), POLICIES)

    assert Counter(situation for situation, _ in SITUATIONS) == Counter(every)


@pytest.mark.req("APR-01", "APR-02", "ATK-32")
@pytest.mark.parametrize(("situation", "end"), SITUATIONS, ids=str)
async def test_a_call_ends_as_the_table_says(situation: Situation, end: str) -> None:
    mode, says, trusted, policy = situation
    hints = mcp_types.ToolAnnotations(read_only_hint=says == "read", destructive_hint=False)
    listed = mcp_types.Tool(name="it", input_schema={"type": "object"}, annotations=hints)
    tool = item_of(listed, trusted=trusted == "yes")
    assert isinstance(tool, Tool)
    things = Things({"tool": [tool]})
    failure = error_of(
        await Approve(things, by_record(POLICIES[policy], lambda _call, _tool: mode)).call(Call(name="it"))
    )

    assert (failure.code if failure else None) == ENDS[end]
    assert len(things.calls) == (end == "runs")
