"""Arguments as JSON, and their one text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcpbridge.errors import InvalidArguments
from mcpbridge.wrap.plain import canonical, check_plain, digest_of, measure, pointer, values_in

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
ARGUMENTS = st.dictionaries(st.text(), JSON, max_size=4)


@settings(max_examples=50)
@given(ARGUMENTS)
def test_the_canonical_text_is_the_same_json(arguments: dict[str, Any]) -> None:
    text = canonical(arguments)

    assert json.loads(text) == arguments
    assert text.isascii()
    assert canonical(dict(reversed(arguments.items()))) == text


@settings(max_examples=50)
@given(ARGUMENTS, ARGUMENTS)
def test_the_digest_is_the_same_only_for_the_same_text(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert (digest_of(one) == digest_of(two)) == (json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True))


def test_neighbouring_integers_beyond_a_double_differ() -> None:
    assert digest_of({"id": 2**53}) != digest_of({"id": 2**53 + 1})


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("-inf"), "\ud800", {1: 1}, {None: 1}, {1}, b"", object()],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    for arguments in ({"a": value}, {"a": [{"b": value}]}):
        with pytest.raises(InvalidArguments):
            canonical(arguments)


def test_bounds_hold_exactly() -> None:
    check_plain({"a": "xxx"}, size=12)
    check_plain({"a": [[1]]}, depth=3)
    for arguments, size, depth in ({"a": "xxxx"}, 12, 9), ({"a": [[1]]}, 99, 2), ({"a": [0] * 4}, 40, 9):
        with pytest.raises(InvalidArguments):
            check_plain(arguments, size=size, depth=depth)


def test_values_are_counted_up_to_a_bound() -> None:
    assert values_in(7, 9) == 1
    assert values_in({"a": [1, {"b": 2}], "c": "text"}, 9) == 6
    assert values_in([[0] * 9] * 9, 12) < 30


def test_a_pointer_escapes_its_parts() -> None:
    assert pointer("a/b", "~", 0) == "/a~1b/~0/0"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "a boolean"),
        (1, "an integer"),
        (1.0, "a number"),
        ("ab", "text of 2 characters"),
        ({}, "an object of 0 members"),
        ([1], "a list of 1 items"),
        (b"x", "a Python bytes"),
    ],
)
def test_a_value_is_measured_not_told(value: Any, words: str) -> None:
    assert measure(value) == words
