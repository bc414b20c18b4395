"""`mcpbridge diff`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from commands import Command

from mcpbridge.compare.snapshot import snapshot_text
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.tool import to_tool

Api = Callable[..., str]


def described(**operations: tuple[str, str, list[dict[str, Any]]]) -> str:
    """A description with one operation a name, each with these parameters."""
    responses: dict[str, Any] = {}
    paths = {
        f"/{name}": {method: {"operationId": name, "summary": text, "parameters": parameters, "responses": responses}}
        for name, (method, text, parameters) in operations.items()
    }
    return json.dumps({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": paths})


def q(name: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": {"type": "string"}}


OLD = described(
    gone=("get", "Goes", []), find=("get", "Finds", [q("a")]), wide=("get", "Widens", []), buy=("post", "Buys", []),
    same=("get", "Stays", []),
)  # fmt: skip
NEW = described(
    fresh=("post", "Comes", []), find=("get", "Finds", [q("a", required=True)]), wide=("get", "Says", [q("b")]),
    buy=("get", "Buys", []), same=("get", "Stays", []),
)  # fmt: skip


@pytest.mark.req("OAS-20", "GW-11", "TEST-03")
def test_changes_are_told_by_what_they_mean_the_breaking_ones_first(command: Command, api: Api) -> None:
    ended = command("diff", api(OLD, "old.json"), api(NEW, "new.json"))
    groups = [line for line in ended.out.splitlines() if not line.startswith(" ")]

    assert groups == [
        "removed: 1", "breaking: 1", "access lowered: 1", "added: 1", "compatible: 1", "text: 2",
        "7 changes, 3 breaking",
    ]  # fmt: skip
    assert "\n  gone: the tool is gone\n" in ended.out
    assert (ended.code, ended.err) == (1, "")


@pytest.mark.req("OAS-20", "GW-11")
def test_the_difference_as_json_is_one_document(command: Command, api: Api) -> None:
    ended = command("diff", api(OLD, "old.json"), api(NEW, "new.json"), "--json")

    assert ended.json["breaking"] == 3
    assert ended.json["effects"] == {
        "removed": 1, "breaking": 1, "access_lowered": 1, "added": 1, "compatible": 1, "text": 2,
    }  # fmt: skip
    assert ended.json["changes"][0] == {
        "id": "removed gone", "effect": "removed", "tool": "gone", "pointer": "", "message": "the tool is gone",
        "breaks": True,
    }  # fmt: skip
    assert [each["effect"] for each in ended.json["changes"][3:]] == ["added", "compatible", "text", "text"]
    assert (ended.code, ended.err) == (1, "")


def test_no_change_is_no_failure(command: Command, api: Api) -> None:
    ended = command("diff", api(OLD, "old.json"), api(OLD, "new.json"))

    assert (ended.code, ended.out) == (0, "0 changes, 0 breaking\n")


def test_a_new_tool_breaks_nobody(command: Command, api: Api) -> None:
    more = described(a=("get", "A", []), b=("get", "B", []))
    ended = command("diff", api(described(a=("get", "A", [])), "old.json"), api(more, "new.json"))

    assert (ended.code, ended.out.splitlines()[-1]) == (0, "1 change, 0 breaking")


@pytest.mark.req("OAS-20")
def test_an_answer_that_no_longer_is_what_it_was_breaks(command: Command, api: Api) -> None:
    def answering(kind: str) -> str:
        content = {"application/json": {"schema": {"type": "object", "properties": {"n": {"type": kind}}}}}
        raw = json.loads(described(a=("get", "A", [])))
        raw["paths"]["/a"]["get"]["responses"] = {"200": {"description": "x", "content": content}}
        return json.dumps(raw)

    ended = command("diff", api(answering("integer"), "old.json"), api(answering("string"), "new.json"), "--json")

    assert [(each["effect"], each["pointer"].split("/")[1]) for each in ended.json["changes"]] == [
        ("breaking", "outputSchema")
    ]


def test_which_of_the_two_can_not_be_read_is_told(command: Command, api: Api) -> None:
    ended = command("diff", api(OLD, "old.json"), api("", "new.json"))

    assert (ended.code, ended.out) == (2, "")
    assert "new.json" in ended.err


def kept(text: str) -> str:
    """The snapshot of a description's tools, as a test keeps it."""
    return snapshot_text(to_tool(operation) for operation in read_operations(Document.parse(text)))


@pytest.mark.req("GW-11", "TEST-03")
def test_a_snapshot_is_compared_with_a_description(command: Command, api: Api) -> None:
    same = command("diff", api(kept(OLD), "tools.json"), api(OLD, "old.json"))
    other = command("diff", api(kept(OLD), "tools.json"), api(NEW, "new.json"))

    assert (same.code, same.out) == (0, "0 changes, 0 breaking\n")
    assert (other.code, other.out.splitlines()[-1]) == (1, "7 changes, 3 breaking")


SERVER = """
import asyncio, sys
from mcp.server.stdio import stdio_server
from mcpbridge import Functions, to_server

def find(words: str) -> str: "Finds."
def drop(number: int) -> str: "Drops."

async def main():
    source = Functions(drop, reads=[find])
    server = to_server(source, name="live")
    async with source, stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())

asyncio.run(main())
"""


@pytest.mark.req("GW-11", "TEST-03")
def test_a_live_server_is_compared_with_a_list_that_was_kept(command: Command, api: Api) -> None:
    target = f"stdio:{sys.executable} {api(SERVER, 'server.py')}"
    listed = json.loads(command("tools", target, "--json").out)
    same = command("diff", api(json.dumps(listed), "tools.json"), target)
    listed[0]["annotations"]["readOnlyHint"] = False
    listed[1]["annotations"]["readOnlyHint"] = False
    other = command("diff", api(json.dumps(listed), "tools.json"), target)

    assert (same.code, same.out) == (0, "0 changes, 0 breaking\n")
    assert (other.code, other.out.splitlines()[:2]) == (
        1, ["access lowered: 1", "  find /annotations/readOnlyHint: said that it writes, says that it reads"]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"mcpbridge": "tools", "version": 9, "tools": []}', "version 9"),
        ('{"mcpbridge": "tools", "version": 1, "tools": {}}', "'tools' that are a dict"),
        ('{"mcpbridge": "tools", ', "no JSON"),
        ('[{"name": "a"}, 5]', "a int at tools[1]"),
    ],
)
def test_a_snapshot_that_can_not_be_read_is_one_line(command: Command, api: Api, text: str, words: str) -> None:
    ended = command("diff", api(text, "kept.json"), api(OLD, "old.json"))

    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert "kept.json" in ended.err
    assert ended.err.count("\n") == 1
