"""The way back: arguments as a model gave them become arguments of the tool."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from mcpbridge.errors import ArgumentProblem, InvalidArguments
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.tools import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A member's own name, the way back for its value, and whether null says that it is left out."""

    name: str
    back: Back = None
    absent: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Members:
    """An object; by the names that the model uses."""

    members: Mapping[str, Member]


@dataclass(frozen=True, kw_only=True, slots=True)
class Items:
    """A list."""

    back: Back


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """JSON text in the place of a value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Values:
    """Enumerated text in the place of other values."""

    values: Mapping[str, Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class Union:
    """One of several: the first whose schema (the model's) the value fits."""

    branches: Sequence[tuple[Mapping[str, Json], Back]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A definition, by name."""

    name: str


Back: TypeAlias = Members | Items | Text | Values | Union | Named | None
"""None where a value stays as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WayBack:
    """The way back of one tool, with its definitions: the model's schemas and the ways back, by name."""

    root: Back = None
    definitions: Mapping[str, Back]
    schemas: Mapping[str, Mapping[str, Json]]

    def arguments(self, given: Mapping[str, Json]) -> dict[str, Json]:
        """The tool's arguments. Raises: InvalidArguments where JSON text was asked for and something else came."""
        restored = self._restore(dict(given), self.root, "")
        return cast("dict[str, Json]", restored)

    def _restore(self, value: Json, back: Back, path: str) -> Json:
        match back:
            case Named():
                value = self._restore(value, self.definitions[back.name], path)
            case Members() if is_object(value):
                value = self._object(value, back, path)
            case Items() if is_list(value):
                items = enumerate(value)
                value = [self._restore(item, back.back, f"{path}/{number}") for number, item in items]
            case Text() if isinstance(value, str):
                value = _parsed(value, path)
            case Values() if isinstance(value, str):
                value = back.values.get(value, value)
            case Union():
                fitting = (inner for schema, inner in back.branches if self.fits(schema, value))
                value = self._restore(value, next(fitting, None), path)
            case _:
                pass
        return value

    def _object(self, value: Mapping[str, Json], back: Members, path: str) -> dict[str, Json]:
        restored: dict[str, Json] = {}
        for key, inner in value.items():
            member = back.members.get(key)
            if member is None:
                restored[key] = inner
            elif inner is not None or not member.absent:
                restored[member.name] = self._restore(inner, member.back, f"{path}/{key}")
        return restored

    def fits(self, schema: Mapping[str, Json], value: Json) -> bool:
        """Whether a value has the form that a schema of the model's tells: types, members, values, bounds."""
        if "$ref" in schema:
            return self.fits(self.schemas[schema["$ref"].rpartition("/")[2]], value)
        if "anyOf" in schema:
            return any(self.fits(each, value) for each in schema["anyOf"])
        if value is None and schema.get("nullable"):
            return True
        return _fits_alone(schema, value) and self._fits_parts(schema, value)

    def _fits_parts(self, schema: Mapping[str, Json], value: Json) -> bool:
        if is_list(value):
            return all(self.fits(schema.get("items", {}), item) for item in value)
        return not is_object(value) or self._fits_object(schema, value)

    def _fits_object(self, schema: Mapping[str, Json], value: Mapping[str, Json]) -> bool:
        properties = schema.get("properties", {})
        if not value.keys() <= properties.keys() or not value.keys() >= set(schema.get("required", ())):
            return False
        return all(self.fits(properties[name], inner) for name, inner in value.items())


KINDS: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "array": list,
    "object": dict,
    "null": type(None),
}


def is_kind(value: Json, kind: str) -> bool:
    """Whether a value is of a JSON Schema type; 1.0 is an integer too (JSON Schema 2020-12 section 4.2.3)."""
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, KINDS[kind]) if kind in KINDS else False


def same(one: Json, other: Json) -> bool:
    """Whether two JSON values are equal; true is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _fits_alone(schema: Mapping[str, Json], value: Json) -> bool:
    kinds = schema.get("type", ())
    if not any(is_kind(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        return False
    return _in_bounds(schema, value) and ("enum" not in schema or any(same(value, each) for each in schema["enum"]))


def _in_bounds(schema: Mapping[str, Json], value: Json) -> bool:
    match value:
        case str():
            low, high, size = "minLength", "maxLength", float(len(value))
        case int() | float() if not isinstance(value, bool):
            low, high, size = "minimum", "maximum", value
        case _:
            return True
    return bool(schema.get(low, size) <= size <= schema.get(high, size))


def _parsed(text: str, path: str) -> Json:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        problem = ArgumentProblem(path=path, expected="JSON text", got="text that is no JSON", example='{"name": 1}')
        raise InvalidArguments([problem]) from None


def _no_constant(word: str) -> Any:
    raise ValueError(word)
