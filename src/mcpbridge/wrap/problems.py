"""What a validator found, as problems that a model can correct from. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast

import jsonschema_rs

from mcpbridge.errors import ArgumentProblem
from mcpbridge.openapi.closest import MOST, closest
from mcpbridge.tools import Json
from mcpbridge.wrap.plain import is_list, is_object, measure, pointer

PROBLEMS = 20
"""How many problems are told at once."""

ALLOWED = 25
"""How many allowed values are told."""

TEXT = 200
"""How much is told of a text that comes from a schema."""

_WORDS: Mapping[str, str] = {
    "minimum": "at least {limit}",
    "maximum": "at most {limit}",
    "exclusiveMinimum": "more than {limit}",
    "exclusiveMaximum": "less than {limit}",
    "minLength": "at least {limit} characters",
    "maxLength": "at most {limit} characters",
    "minItems": "at least {limit} items",
    "maxItems": "at most {limit} items",
    "minProperties": "at least {limit} members",
    "maxProperties": "at most {limit} members",
    "multipleOf": "a multiple of {multiple_of}",
    "pattern": "text that matches {pattern}",
    "format": "text in the format {format}",
    "const": "the one allowed value",
    "uniqueItems": "items that differ",
    "not": "a value that the schema does not rule out",
    "falseSchema": "no value here",
    "propertyNames": "names that the schema allows",
}

_TYPES: Mapping[str, str] = {"array": "list", "string": "text"}

_SAMPLES: Mapping[str, Json] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True}

_FORMATS: Mapping[str, Json] = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "email": "name@example.com",
    "uri": "https://example.com/",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
}


def read_problems(
    errors: Iterable[jsonschema_rs.ValidationError], schema: Mapping[str, Json]
) -> Sequence[ArgumentProblem]:
    """The first problems, each with what was expected, what was got (its kind and size, never its text), and help."""
    return tuple(islice((problem for error in errors for problem in _read(error, schema)), PROBLEMS))


def _read(error: jsonschema_rs.ValidationError, schema: Mapping[str, Json]) -> Iterator[ArgumentProblem]:
    path, keyword = error.instance_path, error.kind.name
    facts = error.kind.as_dict()
    around = _at(schema, error.schema_path[:-1])
    if keyword == "required":
        yield _missing(path, facts["property"], around)
    elif keyword in {"additionalProperties", "unevaluatedProperties"}:
        given = error.instance if isinstance(error.instance, dict) else {}
        for name in islice(facts["unexpected"], PROBLEMS):
            yield _unknown(path, name, given.get(name), around)
    else:
        options = _options(keyword, facts)
        yield ArgumentProblem(
            path=pointer(*path),
            expected=_expected(keyword, facts, error, schema),
            got=measure(error.instance),
            allowed=options,
            example=None if options else _example(around),
        )


def _missing(path: Sequence[str | int], name: str, around: Mapping[str, Json]) -> ArgumentProblem:
    member = _member(around, name)
    return ArgumentProblem(
        path=pointer(*path, name),
        expected=f"{_kind(member)} (required)",
        got="nothing",
        allowed=_short(member.get("enum")),
        example=None if member.get("enum") else _example(member),
    )


def _unknown(path: Sequence[str | int], name: str, given: Json, around: Mapping[str, Json]) -> ArgumentProblem:
    known = [*_mapping(around.get("properties"))]
    close = closest(name, known)
    hint = f"; did you mean {close!r}?" if close else ""
    return ArgumentProblem(
        path=pointer(*path, name if len(name) <= 64 else f"{name[:64]}…"),
        expected=f"no argument of this name{hint}",
        got=measure(given),
        allowed=() if close or len(known) > ALLOWED else known,
    )


def _expected(
    keyword: str, facts: Mapping[str, Any], error: jsonschema_rs.ValidationError, schema: Mapping[str, Json]
) -> str:
    if keyword == "type":
        return " or ".join(_TYPES.get(name, name) for name in facts["types"])
    if keyword == "enum":
        return "one of the allowed values" + _meant(error.instance, facts["options"])
    if keyword in {"anyOf", "oneOf"}:
        return _forms(facts.get("context"), schema)
    shown = {"pattern": "a pattern whose check took too long"}
    shown |= {name: _cut(value) if isinstance(value, str) else str(value) for name, value in facts.items()}
    return _WORDS.get(keyword, f"what the schema's {keyword} asks for").format_map(shown)


def _forms(context: object, schema: Mapping[str, Json]) -> str:
    """The first thing that each form of an `anyOf` or `oneOf` misses; nothing is missed where several forms fit."""
    branches = cast("list[list[jsonschema_rs.ValidationError]]", context or [])
    told = [next(_read(branch[0], schema), None) for branch in branches[:4] if branch]
    wants = [f"{problem.path or 'value'}: {problem.expected}" for problem in told if problem]
    return f"one of these forms ({'; or '.join(wants)})" if wants else "exactly one of the forms, but several fit"


def _meant(given: Json, options: Sequence[Json]) -> str:
    if not isinstance(given, str):
        return ""
    lowered = {word.lower(): word for word in options[:MOST] if isinstance(word, str)}
    close = closest(given.lower(), [*lowered])
    return f"; did you mean {lowered[close]!r}?" if close else ""


def _options(keyword: str, facts: Mapping[str, Any]) -> Sequence[Json]:
    if keyword == "const":
        return _short([facts["expected_value"]])
    return _short(facts["options"]) if keyword == "enum" else ()


def _short(options: object) -> Sequence[Json]:
    """The values of an enum, those that are short, the first of them where there are many."""
    if not is_list(options):
        return ()
    return tuple(value for value in options[:ALLOWED] if len(str(value)) <= TEXT)


def _kind(schema: Mapping[str, Json]) -> str:
    kind = schema.get("type")
    names: Sequence[str] = kind if is_list(kind) else [kind] if isinstance(kind, str) else []
    return " or ".join(_TYPES.get(name, name) for name in names) or "a value"


def _example(schema: Mapping[str, Json]) -> Json:
    """An example that the schema gives, or one that its type and format allow, where no other keyword narrows them."""
    given = schema.get("examples")
    if is_list(given) and given:
        return _if_short(given[0])
    if schema.get("default") is not None:
        return _if_short(schema["default"])
    if not {"pattern", "minimum", "exclusiveMinimum", "minLength", "multipleOf"}.isdisjoint(schema):
        return schema.get("minimum")
    kind = schema.get("type")
    if kind == "string" and "format" in schema:
        return _FORMATS.get(str(schema["format"]))
    return _SAMPLES.get(kind) if isinstance(kind, str) else None


def _if_short(value: Json) -> Json:
    return value if len(str(value)) <= TEXT else None


def _member(schema: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    return _mapping(_mapping(schema.get("properties")).get(name))


def _at(schema: Mapping[str, Json], path: Sequence[str | int]) -> Mapping[str, Json]:
    """The schema at a place, or an empty one where the place is in another document."""
    here: Json = schema
    for part in path:
        try:
            here = here[part]
        except (LookupError, TypeError):
            return {}
    return _mapping(here)


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if is_object(value) else {}


def _cut(text: str) -> str:
    return repr(text if len(text) <= TEXT else f"{text[:TEXT]}…")
