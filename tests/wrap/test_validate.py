"""Arguments that do not fit go no further, and the error is enough to correct them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import Things, check_source_contract
from mcpbridge.errors import ArgumentProblem, InvalidArguments
from mcpbridge.source.answer import error_of
from mcpbridge.tools import Call, Json, Tool
from mcpbridge.wrap.compiled import CompiledSchemas
from mcpbridge.wrap.validate import Validate

ISSUE: Mapping[str, Json] = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 3, "maxLength": 20, "examples": ["Crash at start"]},
        "state": {"enum": ["open", "closed"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 100, "multipleOf": 2},
        "labels": {"type": "array", "items": {"$ref": "#/$defs/Label"}, "uniqueItems": True, "maxItems": 3},
        "due": {"type": "string", "format": "date-time"},
        "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "who": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "fixed": {"const": 7},
        "a/b~c": {"type": "boolean"},
    },
    "required": ["title"],
    "additionalProperties": False,
    "$defs": {"Label": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}},
}


def guarded(schema: Mapping[str, Json]) -> tuple[Things, Validate]:
    things = Things({"tool": [Tool(name="make", input_schema=schema)]})
    return things, Validate(things)


async def problems(schema: Mapping[str, Json], arguments: Mapping[str, Any]) -> tuple[ArgumentProblem, ...]:
    """What is said of arguments that must be refused, and must not arrive."""
    things, source = guarded(schema)
    with pytest.raises(InvalidArguments) as refused:
        await source.call(Call(name="make", arguments=arguments))
    assert not things.calls
    return refused.value.problems


async def quickest(schema: Mapping[str, Json], arguments: Mapping[str, Any]) -> float:
    """Seconds of this thread that refusing takes, at best: other work on the machine is not what is measured."""
    times = list[float]()
    for _ in range(3):
        began = time.thread_time()
        await problems(schema, arguments)
        times.append(time.thread_time() - began)
    return min(times)


@pytest.mark.req("REST-06")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, "/title: expected text (required), got nothing; for example 'Crash at start'"),
        ({"title": 5}, "/title: expected text, got an integer; for example 'Crash at start'"),
        ({"title": "x"}, "/title: expected at least 3 characters, got text of 1 characters; for example"),
        (
            {"state": "opn"},
            "/state: expected one of the allowed values; did you mean 'open'?, got text of 3 characters",
        ),
        ({"state": "OPEN"}, "/state: expected one of the allowed values; did you mean 'open'?"),
        ({"count": 0}, "/count: expected at least 1, got an integer; for example 1"),
        ({"count": 101}, "/count: expected at most 100"),
        ({"count": 3}, "/count: expected a multiple of 2"),
        ({"count": True}, "/count: expected integer, got a boolean"),
        ({"labels": [{"nam": "x"}]}, "/labels/0/name: expected text (required), got nothing; for example 'text'"),
        ({"labels": {}}, "/labels: expected list, got an object of 0 members"),
        ({"labels": [{"name": "a"}] * 2}, "/labels: expected items that differ, got a list of 2 items"),
        ({"code": "abc"}, "/code: expected text that matches '^[A-Z]{3}$', got text of 3 characters"),
        ({"who": []}, "/who: expected one of these forms (/who: text; or /who: integer), got a list of 0 items"),
        ({"fixed": 8}, "/fixed: expected the one allowed value, got an integer; allowed: 7"),
        ({"a/b~c": None}, "/a~1b~0c: expected boolean, got null; for example True"),
        ({"titel": "x"}, "/titel: expected no argument of this name; did you mean 'title'?"),
        ({"zzz": "x"}, "/zzz: expected no argument of this name, got text of 1 characters; allowed: 'title', 'state'"),
    ],
)
async def test_each_error_tells_where_what_was_expected_what_was_got_and_what_helps(
    arguments: dict[str, Json], expected: str
) -> None:
    given_title = {} if {"title", "titel"} & {*arguments} or not arguments else {"title": "long enough"}

    lines = [problem.line() for problem in await problems(ISSUE, {**given_title, **arguments})]

    assert [line for line in lines if line.startswith(expected)], lines


@pytest.mark.req("REST-06")
async def test_all_errors_are_told_at_once() -> None:
    found = await problems(ISSUE, {"state": "x", "count": "y", "labels": 1, "other": 2})

    assert {problem.path for problem in found} == {"/state", "/count", "/labels", "/other", "/title"}


async def test_the_number_of_errors_is_bounded() -> None:
    assert len(await problems(ISSUE, {f"k{number}": 1 for number in range(1_000)})) == 20


@pytest.mark.req("REST-06")
async def test_good_arguments_arrive_unchanged() -> None:
    things, source = guarded(
        {**ISSUE, "properties": {"title": {"type": "string", "default": "d"}, "n": {"default": 1}}}
    )
    arguments = {"title": "4", "n": 2**63 + 1}
    await source.call(Call(name="make", arguments=arguments))

    assert things.calls[0].arguments == {"title": "4", "n": 2**63 + 1}


@pytest.mark.parametrize("value", ["hunter2-secret", "x" * 5_000])
async def test_no_error_repeats_what_was_given(value: str) -> None:
    schema = {
        "properties": {name: {"type": kind} for name, kind in [("a", "integer"), ("b", "object")]}
        | {"c": {"enum": ["x"]}, "d": {"pattern": "^y$"}, "e": {"oneOf": [{"const": 1}, {"maxLength": 2}]}, "f": False}
    }
    found = await problems(schema, dict.fromkeys("abcdef", value))

    assert len(found) == 6
    assert value not in str(InvalidArguments(found)) + str([problem.to_json() for problem in found])


@pytest.mark.req("ATK-13")
@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(?=a)(a+)+$", r"^(a|a?)+$", r"^(?!b)(a|aa)+$", r"(a*)*\1!b"])
async def test_no_pattern_takes_long(pattern: str) -> None:
    schema = {"properties": {"p": {"type": "string", "pattern": pattern}}}
    await problems(schema, {"p": "b"})
    assert await quickest(schema, {"p": "a" * 100_000 + "!"}) < 0.05


def nested(levels: int) -> dict[str, Json]:
    inner: dict[str, Json] = {}
    for _ in range(levels):
        inner = {"a": inner}
    return inner


@pytest.mark.req("ATK-22")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: {"title": "x" * 50_000_000}, "at most 4194304 characters"),
        (lambda: {"other": "x" * 50_000_000}, "at most 4194304 characters"),
        (lambda: {"x" * 50_000_000: 1}, "at most 4194304 characters"),
        (lambda: {"labels": [0] * 5_000_000}, "at most 4194304 characters"),
        (lambda: {"title": "x" * 4_000_000}, "at most 20 characters"),
        (lambda: nested(10_000), "at most 100 levels"),
        (lambda: {"title": [[[[1]]]], "extra": 1}, "text"),
    ],
    ids=["string", "unknown", "name", "list", "schema", "nested", "extra"],
)
async def test_oversized_arguments_are_refused_at_once(make: Callable[[], dict[str, Json]], words: str) -> None:
    await problems(ISSUE, {})
    arguments = make()
    found = await problems(ISSUE, arguments)

    assert await quickest(ISSUE, arguments) < 0.1
    assert words in found[0].expected
    assert len(str(InvalidArguments(found))) < 2_000


FLOODS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "forms": (
        {"properties": {"a": {"items": {"anyOf": [{"required": [f"r{n}"]} for n in range(1000)]}}}},
        {"a": [{}] * 1000},
    ),
    "names": (
        {"properties": {"h" * 56 + str(n): {} for n in range(600)}, "additionalProperties": False},
        {"h" * 55 + "x" + str(n): 1 for n in range(2000)},
    ),
    "large": ({"properties": {"a": {"type": "string"}}}, {"a": [{"x": [0, 0, 0]}] * 30_000}),
    "long": ({"properties": {"a": {"maxItems": 1}}}, {"a": ["é"] * 400_000}),
}


@pytest.mark.req("ATK-22")
@pytest.mark.parametrize(("schema", "arguments"), FLOODS.values(), ids=FLOODS)
async def test_refusing_is_quick_however_much_is_wrong(schema: dict[str, Any], arguments: dict[str, Any]) -> None:
    found = await problems(schema, arguments)

    assert 1 <= len(found) <= 20
    assert await quickest(schema, arguments) < 5  # some 0.1 s; tracing for coverage slows it; without bounds: minutes


@pytest.mark.req("ATK-14")
@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), b"x", {1: 2}, "\ud800", {"\ud800": 1}, {1, 2}, 10**5_000],
    ids=["nan", "inf", "bytes", "number as name", "surrogate", "surrogate in name", "set", "digits"],
)
async def test_what_is_no_json_is_refused(value: Any) -> None:
    [problem] = await problems({}, {"a": [value]})

    assert problem.path == "/a/0"


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:1/x.json"},
        {"$ref": "file:///etc/hostname"},
        {"properties": {"a": {"pattern": "("}}},
        {"type": "objekt"},
        {"$schema": "http://example.com/own"},
        {"$ref": "#/$defs/missing"},
        {"$defs": {**{f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)}, "d30": False}}
        | {"$ref": "#/$defs/d0"},
        {"$ref": "http://["},
    ],
)
async def test_a_schema_that_cannot_be_compiled_is_a_failure_and_fetches_nothing(schema: dict[str, Json]) -> None:
    things, source = guarded(schema)
    failure = error_of(await source.call(Call(name="make", id="c1")))

    assert failure
    assert (failure.code, failure.sent, failure.id, things.calls) == ("bad_schema", "no", "c1", [])
    assert "\n" not in failure.message


async def test_a_file_that_a_schema_points_to_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text('{"type": "object"}')
    _, source = guarded({"$ref": (tmp_path / "schema.json").as_uri()})

    assert error_of(await source.call(Call(name="make")))


@pytest.mark.parametrize(
    "schema", [{"a": object()}, {"properties": {"a": {1: 2}}}, nested(5_000)], ids=["object", "name", "deep"]
)
async def test_a_schema_that_is_no_json_is_a_failure(schema: dict[str, Any]) -> None:
    _, source = guarded(schema)

    assert error_of(await source.call(Call(name="make")))


async def test_a_schema_of_an_older_draft_is_read_by_that_draft() -> None:
    schema: dict[str, Json] = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "properties": {"a": {"items": [{"type": "integer"}], "additionalItems": False}},
    }

    assert await problems(schema, {"a": [1, 2]})


def test_validators_are_bounded_in_number() -> None:
    schemas, known = [{"minimum": number} for number in range(5)], CompiledSchemas(limit=3)
    first = known.of(schemas[0])
    validators = [known.of(schema) for schema in schemas]

    assert known.of(schemas[4]) is validators[4]
    assert known.of(schemas[0]) is not first
    assert len(known) == 3


async def test_a_schema_of_any_mapping_is_read() -> None:
    assert await problems(MappingProxyType({"required": ["a"]}), {})


async def test_problems_inside_deep_structures_are_placed() -> None:
    schema: dict[str, Json] = {
        "properties": {
            "a": {"type": "array", "prefixItems": [{"type": "object", "required": ["b"]}]},
            "c": {"allOf": [{"$ref": "#/$defs/D"}]},
        },
        "$defs": {
            "D": {"properties": {"e": {"type": "string", "default": "x", "enum": ["x", "y"]}}, "required": ["e"]}
        },
    }
    lines = [problem.line() for problem in await problems(schema, {"a": [{}], "c": {}})]

    assert lines == [
        "/a/0/b: expected a value (required), got nothing",
        "/c/e: expected text (required), got nothing; allowed: 'x', 'y'",
    ]


async def test_a_changed_schema_is_compiled_anew() -> None:
    things, source = guarded({"required": ["a"]})
    await source.call(Call(name="make", arguments={"a": 1}))
    things.change("tool", [Tool(name="make", input_schema={"required": ["b"]})])

    with pytest.raises(InvalidArguments):
        await source.call(Call(name="make", arguments={"a": 1}))


async def test_other_kinds_pass() -> None:
    things = Things()
    await Validate(things).call(Call(name="greet", kind="prompt", arguments={"anything": 1}))

    assert things.calls


async def test_it_keeps_the_contract() -> None:
    await check_source_contract(Validate(Things()))


ORACLE: Any = import_module("jsonschema").Draft202012Validator
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("ab/é")
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3)
)


@given(st.dictionaries(st.sampled_from([*ISSUE["properties"], "zz"]), VALUES, max_size=5))
async def test_its_verdict_is_that_of_another_validator(arguments: dict[str, Json]) -> None:
    oracle = ORACLE(ISSUE)
    things, source = guarded(ISSUE)
    with contextlib.suppress(InvalidArguments):
        await source.call(Call(name="make", arguments=arguments))

    assert bool(things.calls) == (not [*oracle.iter_errors(arguments)])
