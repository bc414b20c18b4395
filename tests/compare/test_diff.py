"""What a change of tools means for their callers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mcpbridge.compare.changes import Change
from mcpbridge.compare.tools import diff
from mcpbridge.tools import Tool

pytestmark = pytest.mark.req("OAS-20")


def tool(schema: Mapping[str, Any] | None = None, **kw: Any) -> Tool:
    return Tool(name="t", input_schema={"type": "object", **(schema or {})}, **kw)


def only(old: Mapping[str, Any], new: Mapping[str, Any]) -> Change:
    changes = diff([tool(old)], [tool(new)])
    assert len(changes) == 1, changes
    return changes[0]


def prop(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"properties": {"a": schema}, "additionalProperties": False}


def test_equal_tools_have_no_difference() -> None:
    assert diff([tool(prop({"type": "string"}))], [tool(prop({"type": "string"}))]) == []


def test_added_and_removed_tools_are_named() -> None:
    changes = diff([Tool(name="gone")], [Tool(name="new", access="read")])
    assert [(change.effect, change.tool) for change in changes] == [("removed", "gone"), ("added", "new")]
    assert changes[0].breaks
    assert not changes[1].breaks


BREAKS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (prop({}), {"properties": {"a": {}}, "required": ["a"], "additionalProperties": False}, "/inputSchema/required"),
    (prop({}), {"properties": {}, "additionalProperties": False}, "/inputSchema/properties/a"),
    (prop({"type": ["string", "null"]}), prop({"type": "string"}), "/inputSchema/properties/a/type"),
    (prop({"enum": [1, 2]}), prop({"enum": [1]}), "/inputSchema/properties/a/enum"),
    (prop({}), prop({"enum": [1]}), "/inputSchema/properties/a/enum"),
    (prop({"minimum": 1}), prop({"minimum": 2}), "/inputSchema/properties/a/minimum"),
    (prop({"maxLength": 9}), prop({"maxLength": 8}), "/inputSchema/properties/a/maxLength"),
    (prop({"pattern": "a"}), prop({"pattern": "b"}), "/inputSchema/properties/a/pattern"),
    (prop({"items": {"type": "number"}}), prop({"items": {"type": "integer"}}), "/inputSchema/properties/a/items/type"),
    (
        prop({"anyOf": [{"type": "null"}]}),
        prop({"anyOf": [{"type": "string"}]}),
        "/inputSchema/properties/a/anyOf/0/type",
    ),
    (prop({}), prop({"additionalProperties": False}), "/inputSchema/properties/a/additionalProperties"),
]


@pytest.mark.parametrize(("old", "new", "pointer"), BREAKS)
def test_what_refuses_valid_arguments_breaks(old: dict[str, Any], new: dict[str, Any], pointer: str) -> None:
    change = only(old, new)
    assert (change.effect, change.pointer) == ("breaking", pointer)


@pytest.mark.parametrize(
    ("old", "new"), [(new, old) for old, new, pointer in BREAKS if not pointer.endswith(("/pattern", "/0/type"))]
)
def test_the_way_back_is_compatible(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert only(old, new).effect == "compatible"


def test_an_integer_that_may_be_any_number_is_compatible() -> None:
    assert only(prop({"type": "integer"}), prop({"type": "number"})).effect == "compatible"


def test_words_are_text_only() -> None:
    assert only(prop({"description": "x"}), prop({"description": "y"})).effect == "text"
    assert diff([tool(description="x")], [tool(description="y")])[0].effect == "text"


def test_a_write_that_says_it_reads_is_a_lowered_access() -> None:
    change = diff([tool(access="write")], [tool(access="read")])[0]
    assert change.effect == "access_lowered"
    assert change.breaks


def test_references_are_followed_and_may_recurse() -> None:
    def tree(kind: str) -> dict[str, Any]:
        node = {"type": "object", "properties": {"left": {"$ref": "#/$defs/Node"}, "value": {"type": kind}}}
        return {"properties": {"root": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": node}}

    change = only(tree("number"), tree("string"))
    assert (change.effect, change.pointer) == ("breaking", "/inputSchema/properties/root/properties/value/type")


def test_answers_break_the_other_way_round() -> None:
    wider: dict[str, Any] = {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}
    narrow: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert diff([tool(output_schema=narrow)], [tool(output_schema=wider)])[0].effect == "breaking"
    assert diff([tool(output_schema=wider)], [tool(output_schema=narrow)])[0].effect == "compatible"


def test_a_change_has_a_stable_id() -> None:
    change = only(prop({"enum": [1]}), prop({"enum": [2]}))
    assert change.id == "breaking t /inputSchema/properties/a/enum"
