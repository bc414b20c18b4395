"""`mcpbridge diff`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from commands import Command

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


@pytest.mark.req("OAS-20", "GW-11")
def test_changes_are_told_by_what_they_mean_the_breaking_ones_first(command: Command, api: Api) -> None:
    ended = command("diff", api(OLD, "old.json"), api(NEW, "new.json"))
    groups = [line for line in ended.out.splitlines() if not line.startswith(" ")]

    assert groups == [
        "removed: 1", "breaking: 1", "access lowered: 1", "added: 1", "compatible: 1", "text: 1",
        "6 changes, 3 breaking",
    ]  # fmt: skip
    assert "\n  gone: the tool is gone\n" in ended.out
    assert (ended.code, ended.err) == (1, "")


@pytest.mark.req("OAS-20", "GW-11")
def test_the_difference_as_json_is_one_document(command: Command, api: Api) -> None:
    ended = command("diff", api(OLD, "old.json"), api(NEW, "new.json"), "--json")

    assert ended.json["breaking"] == 3
    assert ended.json["changes"][0] == {
        "id": "removed gone", "effect": "removed", "tool": "gone", "pointer": "", "message": "the tool is gone",
        "breaks": True,
    }  # fmt: skip
    assert [each["effect"] for each in ended.json["changes"][3:]] == ["added", "compatible", "text"]
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
