"""The table of docs/visibility.md is what happens, row by row, from the record to the caller."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract import Things, check_refused
from mcpbridge.errors import SourceDisabled
from mcpbridge.gateway.scope import scope_of
from mcpbridge.integrations.record import read_integration
from mcpbridge.integrations.stored import first
from mcpbridge.tools import Call, Caller, Tool
from mcpbridge.wrap.visible import Restrict

WRAP = Path(__file__).parents[2] / "src/mcpbridge/wrap"
MODULES = ("visible.py", "visible_scope.py")
PAGE = Path(__file__).parents[2] / "docs/visibility.md"
ROW = re.compile(r"^\| `(\{.*\})` \| `(\{.*\})` \| (shown|hidden) \| `(\w+)` \|$", re.MULTILINE)
RECORD = {"name": "github", "protocol": "mcp", "url": "https://example.com/mcp"}
NAME = "issues_list"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    record: dict[str, Any]
    caller: dict[str, Any]
    shown: bool
    code: str


ROWS = [
    Row(record=yaml.safe_load(record), caller=yaml.safe_load(caller), shown=shown == "shown", code=code)
    for record, caller, shown, code in ROW.findall(PAGE.read_text("utf-8"))
]


def _source(row: Row) -> Restrict:
    stored = first("acme", "int_1", read_integration({**RECORD, **row.record}), 0.0)
    at = datetime.fromisoformat(row.caller.get("at", "2026-07-01T12:00:00Z")).timestamp()
    return Restrict(Things({"tool": (Tool(name=NAME),)}), scope_of(stored), clock=lambda: at)


def _caller(row: Row) -> Caller:
    given: dict[str, Any] = {"tenant": "acme", **row.caller, "teams": frozenset(row.caller.get("teams", ()))}
    return Caller(**{name: value for name, value in given.items() if name != "at"})


@pytest.mark.req("VIS-02", "VIS-03", "VIS-04", "VIS-05")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.record} {row.caller}")
async def test_a_row_of_the_table(row: Row) -> None:
    source, caller = _source(row), _caller(row)

    assert [tool.name for tool in await source.list_tools(caller)] == ([NAME] if row.shown else [])
    verdict = (await source.explain(NAME, caller))[-1]
    assert (verdict.layer, verdict.allowed, verdict.code) == ("Restrict", row.shown, row.code)
    if row.shown:
        assert await source.call(Call(name=NAME, caller=caller))
    elif row.code == "disabled":
        with pytest.raises(SourceDisabled):
            await source.call(Call(name=NAME, caller=caller))
    else:
        await check_refused(source, "tool", NAME, caller)


def test_the_table_is_read_whole_and_names_every_reason() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `{")]
    codes = {code for name in MODULES for code in re.findall(r'Hidden\(code="(\w+)"', (WRAP / name).read_text("utf-8"))}

    assert len(ROWS) == len(rows)
    assert {row.code for row in ROWS} == codes | {"shown"}
