from __future__ import annotations

from typing import Any

import pytest

from mcpbridge.errors import DescriptionError
from mcpbridge.openapi.limits import Deadline, ReadLimits
from mcpbridge.openapi.yaml12 import load_yaml


def load(text: str) -> Any:
    return load_yaml(text, ReadLimits(), Deadline(10))


@pytest.mark.req("OAS-01")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("=", "="),
        ("2020-01-01", "2020-01-01"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("True", True),
        ("false", False),
        ("~", None),
        ("Null", None),
        ("0o17", 15),
        ("0x1F", 31),
        ("010", 10),
        ("+5", 5),
        ("-.5", -0.5),
        ("1e3", 1000.0),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("! 5", "5"),
        ("!!int '5'", 5),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    loaded = load(text)

    assert loaded == value
    assert type(loaded) is type(value)


@pytest.mark.req("OAS-01")
def test_keys_are_text_as_it_is_written() -> None:
    assert load("200: a\n1.10: b\ntrue: c\nnull: d\n'x': e") == {
        "200": "a",
        "1.10": "b",
        "true": "c",
        "null": "d",
        "x": "e",
    }


def test_aliases_share_and_merges_fill() -> None:
    loaded = load("a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\nd: {<<: [*a, {z: 4}]}")

    assert loaded["b"] is loaded["a"]
    assert loaded["c"] == {"x": 1, "y": 3}
    assert loaded["d"] == {"x": 1, "y": 2, "z": 4}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: *b", "no anchor"),
        ("&a [*a]", "inside what it repeats"),
        ("{[1]: 2}", "used as a key"),
        ("a: 1\n---\nb: 2", "more than one"),
        ("!mine 5", "tag"),
        ("a: 'b", "not YAML"),
        ("\x00", "not YAML"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(text: str, words: str) -> None:
    with pytest.raises(DescriptionError, match=words):
        load(text)


def test_an_empty_document_is_nothing() -> None:
    assert load("# only a comment") is None
