"""What is called compatible is: judged by a validator, over generated schemas and values."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcpbridge.compare.schemas import compare_schemas

VALUES: list[Any] = [None, True, -2, 0, 1, 2, 3, 1.5, "", "a", "ab", "abc", [], [1], ["a", "a"], [1, "a", None]]
OBJECTS: list[Any] = [{}, {"a": 1}, {"a": "a"}, {"a": None, "b": 2}, {"b": "ab"}, {"a": {"a": 1}}, {"a": {"b": "x"}}]
SAMPLES = [*VALUES, *OBJECTS, *([each] for each in OBJECTS)]

NAMES = st.sampled_from(["a", "b"])
TYPES = st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"])
REF = st.sampled_from([{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}])
SMALL = st.integers(0, 3)

LEAF = st.fixed_dictionaries(
    {},
    optional={
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
        "enum": st.lists(st.sampled_from(VALUES), min_size=1, max_size=3),
        "const": st.sampled_from(VALUES),
        "minimum": SMALL,
        "maximum": SMALL,
        "exclusiveMinimum": SMALL,
        "minLength": SMALL,
        "maxLength": SMALL,
        "minItems": SMALL,
        "maxItems": SMALL,
        "uniqueItems": st.booleans(),
        "multipleOf": st.integers(1, 3),
        "description": st.just("words"),
    },
)


def _inner(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    node = inner | REF
    some = st.lists(node, min_size=1, max_size=3)
    closed = st.fixed_dictionaries(
        {"properties": st.dictionaries(NAMES, node, max_size=2), "additionalProperties": st.just(False)},
        optional={"required": st.lists(NAMES, max_size=2, unique=True), "type": st.just("object")},
    )
    return (
        closed
        | st.fixed_dictionaries({"items": node}, optional={"type": st.just("array")})
        | st.fixed_dictionaries({"additionalProperties": node})
        | some.map(lambda each: {"anyOf": each})
        | some.map(lambda each: {"allOf": each})
    )


SCHEMA = st.recursive(LEAF, _inner, max_leaves=6)
WHOLE = st.fixed_dictionaries({"$defs": st.fixed_dictionaries({"A": SCHEMA, "B": LEAF})}).flatmap(
    lambda whole: SCHEMA.map(lambda schema: {**schema, **whole})
)


@pytest.mark.req("TEST-03")
@settings(max_examples=150, deadline=None)
@given(old=WHOLE, new=WHOLE)
def test_no_value_is_lost_by_a_change_that_is_called_compatible(old: dict[str, Any], new: dict[str, Any]) -> None:
    _judge(old, new)


@pytest.mark.req("TEST-03")
@settings(max_examples=150, deadline=None)
@given(old=WHOLE, data=st.data())
def test_no_value_is_lost_by_a_small_change_that_is_called_compatible(old: dict[str, Any], data: st.DataObject) -> None:
    _judge(old, _edited(old, data))


def _judge(old: dict[str, Any], new: dict[str, Any]) -> None:
    if any(verdict == "breaking" for verdict, _, _ in compare_schemas(old, new)):
        return
    try:
        before, after = jsonschema_rs.validator_for(old), jsonschema_rs.validator_for(new)
        lost = [value for value in SAMPLES if before.is_valid(value) and not after.is_valid(value)]
    except (jsonschema_rs.ValidationError, ValueError):  # a definition that is only itself has no meaning
        return
    assert not lost


def _edited(value: Any, data: st.DataObject) -> Any:
    """The schema with one keyword somewhere in it replaced, removed or added."""
    inner: list[str] = [key for key, each in value.items() if isinstance(each, dict) and key != "properties"]
    chance = st.integers(0, 1)
    if len(inner) > 0 and data.draw(chance):
        key = data.draw(st.sampled_from(inner))
        return {**value, key: _edited(value[key], data)}
    kept = {key: each for key, each in value.items() if key == "$defs" or data.draw(st.integers(0, 3))}
    return {**kept, **data.draw(LEAF)} if data.draw(chance) else kept


WORDS = st.sampled_from(
    ["$defs", "$ref", "type", "properties", "items", "anyOf", "oneOf", "required", "enum", "maximum", "multipleOf",
     "uniqueItems", "patternProperties", "a"]
)  # fmt: skip
SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
ANY = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12
)
NONSENSE = st.dictionaries(WORDS, ANY)


@settings(max_examples=150, deadline=None)
@given(old=NONSENSE, new=NONSENSE)
def test_schemas_that_are_none_are_compared_without_an_error(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert isinstance(compare_schemas(old, new), list)


def test_schemas_too_deep_or_too_large_to_compare_count_as_changed() -> None:
    deep: Any = {}
    other: Any = {"type": "null"}
    for _ in range(3000):
        deep, other = {"items": deep}, {"items": other}
    assert compare_schemas(deep, other) == [("breaking", "", "is nested too deeply to be compared")]
