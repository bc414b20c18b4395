"""Snapshots of tools, and what is said of a file that is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcpbridge.compare.snapshot import read_tools, snapshot_text
from mcpbridge.compare.tools import diff
from mcpbridge.errors import ConfigError
from mcpbridge.tools import Origin, Tool

pytestmark = pytest.mark.req("TEST-02")

TOOLS = [
    Tool(
        name="write_it",
        description="Writes — it.",
        input_schema={"type": "object", "properties": {"b": {}, "a": {}}},
        output_schema={"type": "object"},
        extra={"title": "Write", "annotations": {"readOnlyHint": False}},
    ),
    Tool(name="read_it", access="read", origin=Origin(slug="s"), fixed={"key": "hush"}),
]


def test_what_was_written_is_read_again() -> None:
    assert diff(TOOLS, read_tools(snapshot_text(TOOLS))) == []
    assert [tool.access for tool in read_tools(snapshot_text(TOOLS))] == ["read", "write"]


def test_the_same_tools_in_another_order_give_the_same_text() -> None:
    assert snapshot_text(TOOLS) == snapshot_text(reversed(TOOLS))


def test_arguments_that_the_host_fixed_are_not_written() -> None:
    assert "hush" not in snapshot_text(TOOLS)


def test_a_list_as_mcp_writes_it_is_read_by_its_labels() -> None:
    wire = [{"name": "a", "inputSchema": {}, "annotations": {"readOnlyHint": True}}, {"name": "b"}]
    answer = {"jsonrpc": "2.0", "id": 1, "result": {"tools": wire}}
    for given in (wire, {"tools": wire}, answer, json.dumps(wire)):
        assert [tool.access for tool in read_tools(given)] == ["read", "write"]


BAD: list[tuple[Any, str]] = [
    ("", "is no JSON"),
    ("<<<<<<< ours\n[]", "marks of a merge"),
    ("5", "is a int, no list of tools"),
    ("{}", "is no list of tools"),
    ('{"openapi": "3.1.0"}', "is an API description"),
    ('{"tools": 5}', "'tools' that are a int"),
    ('{"mcpbridge": "tools", "version": 2, "tools": []}', "version 2, and this mcpbridge reads 1: update mcpbridge"),
    ('{"mcpbridge": "tools", "version": "x", "tools": []}', "version 'x'.*--mcpbridge-update"),
    ('{"mcpbridge": "vault", "version": 1}', "no snapshot of tools"),
    ("[5]", r"a int at tools\[0\]"),
    ("[{}]", r"tools\[0\] has no name"),
    ('[{"name": "a", "inputSchema": 5}]', "inputSchema of 'a' is a int"),
    ('[{"name": "a", "access": "rw"}]', "access of 'a' is 'rw'"),
    ('[{"name": "a"}, {"name": "a"}]', "two tools called 'a'"),
    ("[" * 100_000, "nested too deeply"),
]


@pytest.mark.parametrize(("text", "words"), BAD, ids=lambda each: str(each)[:30])
def test_what_can_not_be_read_is_told_with_the_way_out(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as raised:
        read_tools(text, where="kept.json")
    assert str(raised.value).startswith("kept.json")


def test_a_tool_that_holds_no_json_is_not_written() -> None:
    with pytest.raises(ConfigError, match="holds a set"):
        snapshot_text([Tool(name="a", input_schema={"enum": {1}})])
