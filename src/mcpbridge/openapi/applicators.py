"""The keywords of a schema that hold schemas, and those that depend on them.

Each rule gets (conversion, converted schema so far, the keyword's value, where the schema stands).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.keywords import TYPES, types_of
from mcpbridge.openapi.problems import Trail

if TYPE_CHECKING:
    from mcpbridge.openapi.convert import Conversion

Raw: TypeAlias = "dict[str, Any]"
At: TypeAlias = "tuple[Raw, Trail, int, bool]"
Rule: TypeAlias = "Callable[[Conversion, Raw, Any, At], None]"

_NO_NAMES: frozenset[str] = frozenset()


def _type(conversion: Conversion, out: Raw, value: Any, at: At) -> None:
    if type(value) is str and value in TYPES:
        out["type"] = value
        return
    kinds = types_of(value, conversion.say)
    if kinds.value is not None:
        out["type"] = kinds.value
    if kinds.format is not None and "format" not in at[0]:
        out["format"] = kinds.format


def _properties(conversion: Conversion, out: Raw, value: Any, at: At) -> None:
    """`properties`, without those that only the other side may send (OpenAPI 3.0 section 4.7.24.2)."""
    if not is_object(value):
        _dropped(conversion, "properties", value)
        return
    _, trail, depth, _ = at
    trail, depth = (trail, "properties"), depth + 1
    if len(value) == 1 and isinstance(value.get("$ref"), str):
        _elsewhere(conversion, out, value, at)
        return
    hidden, conversion.hidden = conversion.hidden, _NO_NAMES
    members = value
    node = conversion.node
    if conversion.directed:
        one_way, base, output = conversion.schemas.one_way, conversion.base, conversion.output
        members = {name: each for name, each in members.items() if not one_way(each, base, output=output)}
    out["properties"] = {name: node(each, (trail, name), depth) for name, each in members.items()}
    conversion.hidden = hidden


def _elsewhere(conversion: Conversion, out: Raw, value: Raw, at: At) -> None:
    """A whole `properties` behind a reference: no standard has that, and bundlers resolve it all the same."""
    found = conversion.schemas.references.resolve(value["$ref"], conversion.base, (at[1], "properties"))
    if found is None or not is_object(found.value) or isinstance(found.value.get("$ref"), str):
        return
    before, conversion.base = conversion.base, found.base
    _properties(conversion, out, found.value, at)
    conversion.base = before


def _named(key: str) -> Rule:
    def rule(conversion: Conversion, out: Raw, value: Any, at: At) -> None:
        if not is_object(value):
            _dropped(conversion, key, value)
            return
        _, trail, depth, tight = at
        tight = tight and key == "dependentSchemas"
        hidden, conversion.hidden = conversion.hidden, conversion.hidden if tight else _NO_NAMES
        out[key] = {name: conversion.node(each, ((trail, key), name), depth + 1, tight) for name, each in value.items()}
        conversion.hidden = hidden

    return rule


def _inside(key: str) -> Rule:
    """A schema of a part of the value; a boolean in quotes is read as the boolean."""

    def rule(conversion: Conversion, out: Raw, value: Any, at: At) -> None:
        hidden, conversion.hidden = conversion.hidden, _NO_NAMES
        if value in ("true", "false"):
            value = value == "true"
        out[key] = conversion.node(value, (at[1], key), at[2] + 1)
        conversion.hidden = hidden

    return rule


def _same(key: str) -> Rule:
    """A schema of the value itself."""

    def rule(conversion: Conversion, out: Raw, value: Any, at: At) -> None:
        out[key] = conversion.node(value, (at[1], key), at[2] + 1, at[3])

    return rule


def _alternatives(key: str) -> Rule:
    def rule(conversion: Conversion, out: Raw, value: Any, at: At) -> None:
        raw, trail, depth, tight = at
        branches = value if is_list(value) else [value]
        if not branches or not isinstance(value, list | dict):
            _dropped(conversion, key, value)
            return
        if is_object(value):
            conversion.say("warning", key, f"{key!r} is one schema and no list", "read as a list of one")
        node, trail, plain = conversion.node, (trail, key), key == "allOf"
        chosen = key == "oneOf" and "discriminator" in raw and "anyOf" not in raw
        out["anyOf" if chosen else key] = [
            node(each, (trail, index), depth + 1, tight, plain) for index, each in enumerate(branches)
        ]

    return rule


def _items(conversion: Conversion, out: Raw, value: Any, at: At) -> None:
    """`items`; a list of them is `prefixItems` since 2020-12, and `additionalItems` is `items`."""
    if not is_list(value):
        _inside("items")(conversion, out, value, at)
        return
    _prefix(conversion, out, value, at, key="items")
    if "additionalItems" in at[0]:
        out["items"] = conversion.node(at[0]["additionalItems"], (at[1], "additionalItems"), at[2] + 1)


def _prefix(conversion: Conversion, out: Raw, value: Any, at: At, key: str = "prefixItems") -> None:
    if not is_list(value) or not value:
        if value != []:
            _dropped(conversion, key, value)
        return
    trail = (at[1], key)
    out["prefixItems"] = [conversion.node(each, (trail, index), at[2] + 1) for index, each in enumerate(value)]


def _required(conversion: Conversion, out: Raw, value: Any, _at: At) -> None:
    """`required`, as a list of names; `required: true` of a single property is draft 3 and says nothing since."""
    if not is_list(value):
        if value is not None and value is not False:
            conversion.say("note", "required", "'required' has to be a list of property names", "left out")
        return
    names = list(dict.fromkeys(name for name in value if isinstance(name, str)))
    if len(names) != len(value):
        conversion.say("warning", "required", "'required' holds names twice, or what is no name", "left out")
    if names:
        out["required"] = names


def _dependent(conversion: Conversion, out: Raw, value: Any, _at: At) -> None:
    if not is_object(value):
        _dropped(conversion, "dependentRequired", value)
        return
    out.setdefault("dependentRequired", {}).update(
        {
            name: list(dict.fromkeys(each for each in needed if isinstance(each, str)))
            for name, needed in value.items()
            if is_list(needed)
        }
    )


def _dependencies(conversion: Conversion, out: Raw, value: Any, at: At) -> None:
    """Draft 4's `dependencies`, of names and of schemas."""
    _dependent(conversion, out, value, at)
    if is_object(value):
        schemas = {name: each for name, each in value.items() if not is_list(each)}
        if schemas:
            _named("dependentSchemas")(conversion, out, schemas, at)
        if not out.get("dependentRequired", True):
            del out["dependentRequired"]


def _discriminator(_conversion: Conversion, out: Raw, _value: Any, at: At) -> None:
    """A base whose heirs are not named: their members have to be allowed."""
    if not at[0].keys() & {"oneOf", "anyOf", "additionalProperties", "$ref"}:
        out["additionalProperties"] = True


def _dropped(conversion: Conversion, key: str, value: Any) -> None:
    if value is not None:
        conversion.say("warning", key, f"{key!r} cannot be {str(value)[:40]!r}", "dropped")


INNER: Mapping[str, Rule] = {
    "type": _type,
    "properties": _properties,
    "patternProperties": _named("patternProperties"),
    "dependentSchemas": _named("dependentSchemas"),
    "items": _items,
    "prefixItems": _prefix,
    "required": _required,
    "dependentRequired": _dependent,
    "dependencies": _dependencies,
    "discriminator": _discriminator,
    **{key: _alternatives(key) for key in ("allOf", "anyOf", "oneOf")},
    **{key: _same(key) for key in ("not", "if", "then", "else")},
    **{
        key: _inside(key)
        for key in (
            "additionalProperties",
            "propertyNames",
            "contains",
            "unevaluatedProperties",
            "unevaluatedItems",
            "contentSchema",
        )
    },
}
"""What becomes of a keyword that holds schemas."""
