"""JSON Schema 2020-12 as the linter needs it: where schemas stand inside a schema, what a keyword may hold, references.

The table is the vocabulary of the draft; that a value fits it is checked here, without a validator's import.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, TypeGuard

from mcpbridge.linting.rule import Node
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.tools import Json

Kind: TypeAlias = Literal["schema", "schemas", "list", "data"]

KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(
        (
            "items",
            "additionalProperties",
            "propertyNames",
            "contains",
            "unevaluatedProperties",
            "unevaluatedItems",
            "not",
            "if",
            "then",
            "else",
        ),
        "schema",
    ),
    **dict.fromkeys(("properties", "patternProperties", "$defs", "definitions", "dependentSchemas"), "schemas"),
    **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), "list"),
}
"""What each keyword that holds schemas holds: one, an object of them, or a list. All others hold data."""

TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})

_HOPS = 20


def is_node(value: Json) -> TypeGuard[dict[str, Json]]:
    """Whether it is a schema with keywords."""
    return isinstance(value, dict)


def malformed(node: Node) -> str:
    """The first keyword of a schema that holds what it can't, in words; empty where all is in order."""
    for keyword, value in node.items():
        kind = KINDS.get(keyword)
        if kind is not None:
            if problem := _misplaced(keyword, kind, value):
                return problem
        elif (check := _CHECKS.get(keyword)) is not None and not check[0](value):
            return f"{keyword!r} must be {check[1]}"
    return ""


def _misplaced(keyword: str, kind: Kind, value: Json) -> str:
    if kind == "schema":
        fits = _is_schema(value)
    elif kind == "schemas":
        fits = is_object(value) and all(map(_is_schema, value.values()))
    else:
        fits = is_list(value) and bool(value) and all(map(_is_schema, value))
    wanted = {"schema": "a schema", "schemas": "an object of schemas", "list": "a list of schemas", "data": ""}[kind]
    return "" if fits else f"{keyword!r} must be {wanted}"


def _is_schema(value: Json) -> bool:
    return isinstance(value, dict | bool)


def _is_type(value: Json) -> bool:
    if isinstance(value, str):
        return value in TYPES
    if not is_list(value) or not value or not all(isinstance(each, str) for each in value):
        return False
    return len(set(value)) == len(value) and TYPES.issuperset(value)


def _is_names(value: Json) -> bool:
    return is_list(value) and all(isinstance(each, str) for each in value) and len(set(value)) == len(value)


def is_number(value: Json) -> TypeGuard[int | float]:
    """Whether it is a JSON number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Json) -> bool:
    return is_number(value) and value >= 0 and value == int(value)


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_flag(value: Json) -> bool:
    return isinstance(value, bool)


def _is_values(value: Json) -> bool:
    return is_list(value)


def _is_step(value: Json) -> bool:
    return is_number(value) and value > 0


_CHECKS: Mapping[str, tuple[Callable[[Json], bool], str]] = {
    "type": (_is_type, f"one of {', '.join(sorted(TYPES))}, or a list of them"),
    "required": (_is_names, "a list of names, each once"),
    "enum": (_is_values, "a list of values"),
    "examples": (_is_values, "a list of values"),
    "multipleOf": (_is_step, "a number above 0"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), (is_number, "a number")),
    **dict.fromkeys(
        (
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "minProperties",
            "maxProperties",
            "minContains",
            "maxContains",
        ),
        (_is_count, "a whole number from 0"),
    ),
    **dict.fromkeys(
        ("title", "description", "pattern", "format", "$ref", "$schema", "$id", "$anchor", "$comment"),
        (_is_text, "text"),
    ),
    **dict.fromkeys(("uniqueItems", "deprecated", "readOnly", "writeOnly"), (_is_flag, "true or false")),
}
"""Whether a keyword's value is one that the draft allows, and what it allows in words."""


def types_of(node: Node) -> frozenset[str]:
    """The types that a schema names; empty where it names none."""
    named = node.get("type")
    if isinstance(named, str):
        return frozenset([named])
    return frozenset(each for each in named if isinstance(each, str)) if is_list(named) else frozenset()


def resolved(node: Node, root: Node) -> Node:
    """The schema with the one that its `$ref` names merged in; keywords beside the `$ref` win."""
    merged: dict[str, Any] = dict(node)
    for _ in range(_HOPS):
        reference = merged.pop("$ref", None)
        if not isinstance(reference, str):
            break
        target = target_of(reference, root)
        if is_node(target):
            merged = {**target, **merged}
    return merged


def target_of(reference: str, root: Node) -> Json:
    """What a reference inside one schema names (RFC 6901 in a fragment), None where there is nothing."""
    if reference == "#":
        return root
    if not reference.startswith("#/"):
        return None
    found: Json = root
    for step in reference[2:].split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        if is_object(found) and key in found:
            found = found[key]
        elif is_list(found) and key.isascii() and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return found
