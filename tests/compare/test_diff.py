"""What a change of tools means for their callers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mcpbridge.compare.changes import Change
from mcpbridge.compare.tools import diff
from mcpbridge.errors import ConfigError
from mcpbridge.tools import Access, Tool

pytestmark = pytest.mark.req("OAS-20", "TEST-03")


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


def test_a_change_behind_a_reference_of_an_unchanged_place_is_found() -> None:
    def listing(kind: str) -> dict[str, Any]:
        return {"properties": {"a": {"items": {"$ref": "#/$defs/A"}}}, "$defs": {"A": {"type": kind}}}

    change = only(listing("string"), listing("integer"))
    assert (change.effect, change.pointer) == ("breaking", "/inputSchema/properties/a/items/type")


def test_one_definition_that_became_two_is_compared_with_both() -> None:
    shared = {"properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "null"}}}
    apart = {"properties": {"a": {"type": "null"}, "b": {"type": "string"}}}
    assert only(shared, apart).pointer == "/inputSchema/properties/b/type"


def test_a_definition_used_twice_is_told_at_both_places() -> None:
    def twice(kind: str) -> dict[str, Any]:
        return {
            "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/A"}},
            "$defs": {"A": {"type": kind}},
        }

    changes = diff([tool(twice("string"))], [tool(twice("integer"))])
    assert [change.effect for change in changes] == ["breaking", "breaking"]
    assert changes[1].message == "changed as /inputSchema/properties/a did"


@pytest.mark.parametrize("ref", ["#/definitions/A", "#/properties/b"])
def test_references_to_any_place_of_the_schema_are_followed(ref: str) -> None:
    def pointing(kind: str) -> dict[str, Any]:
        return {
            "properties": {"a": {"$ref": ref}, "b": {"type": kind}},
            "definitions": {"A": {"type": kind}},
            "additionalProperties": False,
        }

    changes = diff([tool(pointing("string"))], [tool(pointing("integer"))])
    assert [change.effect for change in changes] == ["breaking", "breaking"]


STRING, NUMBER, NULL = {"type": "string"}, {"type": "number"}, {"type": "null"}

ALTERNATIVES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"anyOf": [STRING]}, {"anyOf": [NUMBER, STRING]}, "compatible"),
    ({"anyOf": [STRING, NUMBER]}, {"anyOf": [STRING]}, "breaking"),
    (STRING, {"anyOf": [STRING, NULL]}, "compatible"),
    ({"oneOf": [STRING]}, {"oneOf": [STRING, NULL]}, "compatible"),
    ({"oneOf": [STRING]}, {"oneOf": [STRING, {"minLength": 2}]}, "breaking"),
    ({"allOf": [STRING, {"minLength": 2}]}, {"allOf": [STRING]}, "compatible"),
    ({"allOf": [STRING]}, {"allOf": [STRING, {"minLength": 2}]}, "breaking"),
    ({"const": 1}, {"enum": [1, 2]}, "compatible"),
    ({"patternProperties": {}}, {"patternProperties": {"^x": NULL}}, "breaking"),
    ({"prefixItems": [NULL], "items": STRING}, {"items": STRING}, "breaking"),
    ({"additionalProperties": STRING}, {"additionalProperties": STRING, "properties": {"a": NULL}}, "breaking"),
]


@pytest.mark.parametrize(("old", "new", "effect"), ALTERNATIVES)
def test_alternatives_are_weighed_against_each_other(old: dict[str, Any], new: dict[str, Any], effect: str) -> None:
    changes = diff([tool(prop(old))], [tool(prop(new))])
    assert any(change.breaks for change in changes) == (effect == "breaking")


def hinted(access: Access = "write", /, **hints: bool) -> Tool:
    return tool(access=access, extra={"annotations": {"readOnlyHint": access == "read", **hints}})


def only_label(old: Tool, new: Tool) -> Change:
    changes = diff([old], [new])
    assert len(changes) == 1, changes
    return changes[0]


@pytest.mark.parametrize(
    ("hint", "mild"), [("destructiveHint", False), ("idempotentHint", True), ("openWorldHint", False)]
)
def test_a_label_that_claims_less_harm_is_a_lowered_access(hint: str, mild: bool) -> None:
    change = only_label(hinted(), hinted(**{hint: mild}))
    assert (change.effect, change.pointer) == ("access_lowered", f"/annotations/{hint}")
    assert only_label(hinted(**{hint: mild}), hinted()).effect == "compatible"


def test_labels_of_writes_say_nothing_of_a_tool_that_reads() -> None:
    assert diff([hinted("read")], [hinted("read", destructiveHint=False, idempotentHint=True)]) == []


def test_an_untrusted_tool_that_claims_to_read_is_told_though_its_access_stays() -> None:
    change = only_label(hinted(), tool(extra={"annotations": {"readOnlyHint": True}}))
    assert (change.effect, change.pointer) == ("access_lowered", "/annotations/readOnlyHint")


def test_titles_icons_and_other_words_are_text() -> None:
    old = tool(extra={"title": "a", "icons": [], "annotations": {"title": "x"}})
    new = tool(extra={"title": "b", "annotations": {"title": "y"}})
    assert [(change.effect, change.pointer) for change in diff([old], [new])] == [
        ("text", "/icons"), ("text", "/title"), ("text", "/annotations/title"),
    ]  # fmt: skip


@pytest.mark.parametrize("given", ["tools.json", {"tools": []}, 5, [{"name": "t"}]])
def test_what_is_no_list_of_tools_is_told_with_the_way_out(given: Any) -> None:
    with pytest.raises(ConfigError, match="read_tools"):
        diff([], given)


def test_a_schema_that_is_none_is_told_with_its_tool() -> None:
    broken: Any = "x"
    with pytest.raises(ConfigError, match="schema of 't' in new is a str"):
        diff([tool()], [Tool(name="t", input_schema=broken)])


def test_null_and_true_are_values_of_their_own() -> None:
    assert only(prop({}), prop({"const": None})).effect == "breaking"
    assert only(prop({"const": 1}), prop({"const": True})).effect == "breaking"
    assert only(prop({"enum": [1, 2]}), prop({"enum": [True, 2]})).effect == "breaking"
    assert diff([tool(prop({"const": 1}))], [tool(prop({"const": 1.0}))]) == []
