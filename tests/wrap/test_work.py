"""Schemas whose work on one value has no bound are known before a validator has them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from mcpbridge.wrap.work import ONE_VALUE, work_of


def doubling(levels: int, keyword: str = "allOf", **more: Any) -> dict[str, Any]:
    """Definitions that each name the next one twice."""
    steps = {f"d{n}": {keyword: [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": {**steps, f"d{levels}": {}}, "$ref": "#/$defs/d0", **more}


def named(levels: int, name: str, reference: str, mark: str) -> dict[str, Any]:
    """The same, by names instead of places."""
    steps = {f"d{n}": {name: f"d{n}", "anyOf": [{reference: f"{mark}d{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": {**steps, "end": {name: f"d{levels}"}}, reference: f"{mark}d0"}


def crowd(size: int) -> dict[str, Any]:
    """Definitions that all name each other."""
    names = [f"d{n}" for n in range(size)]
    return {"$defs": {name: {"oneOf": [{"$ref": f"#/$defs/{other}"} for other in names]} for name in names}}


COUNTED: list[tuple[dict[str, Any], int]] = [
    ({"type": "object"}, 1),
    ({"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}, 1),
    ({"allOf": [{}, {"not": {}}], "if": {}, "then": {}, "else": {}}, 7),
    ({"dependentSchemas": {"a": {}, "b": {}}, "dependencies": {"a": ["b"], "c": {}}}, 4),
    ({"$ref": "#"}, 1),
    ({"items": {"$ref": "#/$defs/x"}, "$defs": {"x": {"anyOf": [{}, {}, {}], "items": {"$ref": "#"}}}}, 5),
    ({"prefixItems": [{"anyOf": [{}, {}]}], "$defs": {"unused": {"anyOf": [{}] * 9}}}, 3),
    (doubling(4), 1 + 1 + 2 * (2 + 4 + 8 + 16)),
    ({"allOf": 7, "properties": [1], "$ref": "#/nowhere", "if": True}, 1),
]

BOMBS: dict[str, dict[str, Any]] = {
    "allOf": doubling(30),
    "anyOf": doubling(30, "anyOf"),
    "below": {"properties": {"a": {"items": doubling(30)}}, "$defs": doubling(30)["$defs"]},
    "anchors": named(30, "$anchor", "$ref", "#"),
    "dynamic anchors": named(30, "$dynamicAnchor", "$dynamicRef", "#"),
    "ids": named(30, "$id", "$ref", ""),
    "crowd": {**crowd(12), "$ref": "#/$defs/d0"},
    "many": {"properties": {f"p{n}": {"anyOf": [{}] * 9_000} for n in range(100)}},
}


@pytest.mark.parametrize(("schema", "work"), COUNTED)
def test_the_schemas_that_are_tried_on_one_value_are_counted(schema: dict[str, Any], work: int) -> None:
    assert work_of(schema) == work


def test_a_parent_and_its_children_that_name_each_other_are_ordinary() -> None:
    children = {
        f"c{n}": {"allOf": [{"$ref": "#/$defs/parent"}, {"properties": {"x": {"$ref": "#/$defs/parent"}}}]}
        for n in range(40)
    }
    parent = {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in children]}

    assert (work_of({"$defs": {"parent": parent, **children}, "$ref": "#/$defs/parent"}) or 0) < 500


@pytest.mark.req("ATK-13")
@pytest.mark.parametrize("schema", BOMBS.values(), ids=BOMBS)
def test_work_without_bound_is_known_in_a_moment(schema: dict[str, Any]) -> None:
    began = time.thread_time()

    assert work_of(schema) is None
    assert time.thread_time() - began < 20  # some 0.2 s; tracing for coverage slows it; without the bound: for ever


def test_nesting_in_place_is_no_recursion_of_ours() -> None:
    schema: dict[str, Any] = {}
    for _ in range(ONE_VALUE - 1):
        schema = {"not": schema}

    assert work_of(schema) == ONE_VALUE
    assert work_of({"not": schema}) is None
