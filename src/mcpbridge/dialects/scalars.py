"""Types, bounds and enumerated values of one place, in a provider's words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from mcpbridge.dialects.back import Values, is_kind, same
from mcpbridge.dialects.loss import Losses
from mcpbridge.dialects.made import ONLY_NULL, Made, Node
from mcpbridge.dialects.parts import Gathered, NoValueError, under
from mcpbridge.dialects.rules import Subset
from mcpbridge.openapi.jsontext import is_container, is_object
from mcpbridge.tools import Json

LONG = 250
LONG_CHARACTERS = 15_000
"""OPENAI_STRICT: an enumeration of more than 250 texts may have so many characters in all."""

_OF_KIND: Mapping[str, tuple[str, ...]] = {
    "object": ("properties", "additionalProperties", "patternProperties", "required", "minProperties", "maxProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
    "string": ("pattern", "minLength", "maxLength", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
"""Keywords that say something of values of one type only; where no type is told, they tell it."""

_BOUNDS: Mapping[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("minLength", "minItems", "minimum", "exclusiveMinimum"), max),
    **dict.fromkeys(("maxLength", "maxItems", "maximum", "exclusiveMaximum"), min),
}
_NAMES_OF: Mapping[str, tuple[str, ...]] = {
    "string": _OF_KIND["string"],
    "number": (*_OF_KIND["number"], "format"),
    "integer": (*_OF_KIND["number"], "format"),
    "array": ("minItems", "maxItems"),
}
_TOLD = (*_OF_KIND["string"], *_OF_KIND["number"], "minItems", "maxItems", "uniqueItems")


def kinds_of(gathered: Gathered) -> Sequence[str]:
    """The types that all parts allow; where none is told, those that other keywords tell. Empty for any.

    Raises: NoValueError where the parts exclude each other.
    """
    allowed: list[str] | None = None
    for _, value in gathered.keywords("type"):
        kinds = [value] if isinstance(value, str) else value
        allowed = [*kinds] if allowed is None else _both(allowed, kinds)
        if not allowed:
            raise NoValueError
    if allowed is None:
        return [kind for kind, names in _OF_KIND.items() if any(gathered.first(name) is not None for name in names)]
    return [kind for kind in dict.fromkeys(allowed) if kind != "integer" or "number" not in allowed]


def _both(one: Sequence[str], other: Sequence[str]) -> list[str]:
    found = [kind for kind in one if kind in other or (kind == "integer" and "number" in other)]
    return found + [kind for kind in other if kind == "integer" and "number" in one and kind not in found]


def bounded(kind: str, gathered: Gathered, subset: Subset, losses: Losses) -> Node:
    """A type with the bounds that the provider takes; the others are reported."""
    schema: Node = {"type": kind}
    taken = subset.constraints.get(kind, frozenset())
    for name in _NAMES_OF.get(kind, ()):
        for pointer, value in gathered.keywords(name):
            if not _is_taken(name, value, kind, taken, subset):
                losses.add(under(pointer, name), "constraint", f"{name!r} is told in the description only")
            elif name not in schema:
                schema[name] = value
            elif name in _BOUNDS:
                schema[name] = _BOUNDS[name](schema[name], value)
            elif schema[name] != value:
                losses.add(under(pointer, name), "constraint", f"a second {name!r} can't be told")
    return schema


def _is_taken(name: str, value: Json, kind: str, taken: frozenset[str], subset: Subset) -> bool:
    if name == "format":
        return value in subset.formats.get(kind, ())
    return name in taken and (name != "pattern" or _plain_pattern(value))


_UNSURE = re.compile(r"\(\?|\\[1-9bBpPkK]|[^\\]\$.|.\^")
"""Lookaround, back references and other things that not every engine has."""


def _plain_pattern(pattern: str) -> bool:
    return not _UNSURE.search(pattern.replace("[^", "["))


def described_by(gathered: Gathered, schema: Mapping[str, Json]) -> str:
    """The description of a place, with the bounds and the default that its schema can't tell."""
    text = str(gathered.first("description") or gathered.first("title") or schema.get("description", ""))
    said = [(name, value) for name in _TOLD if (value := gathered.first(name)) is not None]
    inner = json.dumps(schema, default=str) if said else ""
    told = [
        f"{name} {json.dumps(value, default=str)}"
        for name, value in said
        if f'"{name}"' not in inner and len(str(value)) <= 100
    ]
    default = gathered.first("default")
    if default is not None and len(str(default)) <= 100:
        told.append(f"default {json.dumps(default, ensure_ascii=False, default=str)}")
    return f"{text} ({', '.join(told)})".strip() if told else text


def enumerated(gathered: Gathered) -> list[Json] | None:
    """The values that all parts allow, None where they are not enumerated. Raises: NoValueError where none is left."""
    found: list[Json] | None = None
    kinds = kinds_of(gathered) if gathered.first("type") is not None else None
    for pointer_values in (gathered.keywords("enum"), ((place, [each]) for place, each in gathered.keywords("const"))):
        for _, values in pointer_values:
            kept = values if found is None else [each for each in found if any(same(each, other) for other in values)]
            found = [*kept]
    if found is None:
        return None
    fitting = [value for value in found if kinds is None or any(is_kind(value, kind) for kind in kinds)]
    if not fitting:
        raise NoValueError
    return fitting


def enumeration(values: Sequence[Json], gathered: Gathered, subset: Subset, most: int, losses: Losses) -> list[Made]:
    """Enumerated values, one result for each type that they need; null is left to who completes the place."""
    others = [value for value in values if value is not None]
    null = [ONLY_NULL] if len(others) < len(values) else []
    if not others:
        return null
    pointer = next((under(place, word) for word in ("enum", "const") for place, _ in gathered.keywords(word)), "")
    texts = [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in others]
    if len(others) > most or (len(others) > LONG and sum(map(len, texts)) > LONG_CHARACTERS):
        losses.add(pointer, "values", "too many values: the type is told alone")
        return [*null, *(_typed(others))] if not any(map(is_container, others)) else []
    if subset.text_values or any(is_container(value) for value in others):
        return [*null, _as_text(others, texts, subset, pointer, losses)]
    return [*null, *(Made(schema={"type": kind, "enum": [*group]}) for kind, group in _by_kind(others))]


def _typed(values: Sequence[Json]) -> list[Made]:
    return [Made(schema={"type": kind}) for kind, _ in _by_kind(values)]


def _by_kind(values: Sequence[Json]) -> list[tuple[str, list[Json]]]:
    kinds = sorted(values, key=_kind)
    return [(kind, [*group]) for kind, group in groupby(kinds, key=_kind)]


def _kind(value: Json) -> str:
    return next(kind for kind in ("boolean", "integer", "number", "string") if is_kind(value, kind))


def _as_text(others: Sequence[Json], texts: Sequence[str], subset: Subset, pointer: str, losses: Losses) -> Made:
    """Values as text, by a table; text that is empty or stands for an earlier value can't be given."""
    table: dict[str, Json] = {}
    for value, text in zip(others, texts, strict=True):
        if text in table or (not text and subset.text_values):
            losses.add(pointer, "values", "an empty text, and a text that says another value too, can't be given")
        else:
            table[text] = value
    if not table:
        return Made(schema={"type": "string"})
    schema: Node = {"type": "string", "enum": [*table]}
    if subset.text_values:
        schema["format"] = "enum"
    plain = all(isinstance(value, str) for value in table.values())
    return Made(schema=schema, back=None if plain else Values(values=table))


def says_nothing(schema: Json) -> bool:
    """Whether a schema holds annotations only."""
    return schema is True or (is_object(schema) and not schema.keys() & MEANING)


MEANING = frozenset(
    {"$ref", "allOf", "anyOf", "oneOf", "type", "enum", "const", "not", "if", "contains", "propertyNames"}
    | {"dependentRequired", "dependentSchemas", "dependencies"}
    | {name for names in _OF_KIND.values() for name in names}
)
"""Keywords that say what a value may be."""
