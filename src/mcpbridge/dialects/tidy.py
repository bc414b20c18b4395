"""Any schema as sound JSON Schema 2020-12 with a plain object at its root; what was none is left out and reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mcpbridge.dialects.loss import Losses
from mcpbridge.dialects.parts import Schema, target, under
from mcpbridge.openapi.jsontext import is_list, is_object, too_deep
from mcpbridge.openapi.patterns import runs
from mcpbridge.tools import Json

TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")

_ONE = frozenset(
    {"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "contentSchema"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)
_LIST = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MAP = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_NOT_WRITTEN = frozenset({"$schema", "$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$vocabulary", "id"})


def _is_anything(_value: Json) -> bool:
    return True


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_truth(value: Json) -> bool:
    return isinstance(value, bool)


def _is_type(value: Json) -> bool:
    if is_list(value):
        return bool(value) and all(isinstance(each, str) and each in TYPES for each in value)
    return isinstance(value, str) and value in TYPES


def _is_names(value: Json) -> bool:
    return is_list(value) and all(isinstance(each, str) for each in value)


_KINDS: Mapping[str, Callable[[Json], bool]] = {
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _is_count),
    **dict.fromkeys(("minContains", "maxContains"), _is_count),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("format", "title", "description", "$comment", "contentMediaType", "contentEncoding"), _is_text),
    **dict.fromkeys(("uniqueItems", "deprecated", "readOnly", "writeOnly"), _is_truth),
    **dict.fromkeys(_MAP, is_object),
    **dict.fromkeys(_LIST, lambda value: is_list(value) and bool(value)),
    **dict.fromkeys(_NOT_WRITTEN, _is_text),
    "pattern": lambda value: _is_text(value) and runs(value),
    "patternProperties": lambda value: is_object(value) and all(map(runs, value)),
    "dependentRequired": lambda value: is_object(value) and all(map(_is_names, value.values())),
    "multipleOf": lambda value: _is_number(value) and value > 0,
    "type": _is_type,
    "required": _is_names,
    "enum": is_list,
    "examples": is_list,
}


def tidied(schema: Mapping[str, Json], losses: Losses) -> Mapping[str, Json]:
    """The schema of all arguments: sound, and an object without alternatives at its root."""
    try:
        if not too_deep(schema):
            tidy = _Tidy(schema, losses)
            cleaned = tidy.clean(schema, "")
            whole = cleaned if is_object(cleaned) else {}
            return plain_root(rebased(whole) if tidy.to_root else whole, losses)
    except RecursionError:  # the root's own references lead too deep
        pass
    losses.add("", "invalid", "nested deeper than 100 levels: its arguments can't be told")
    return {"type": "object", "properties": {}}


class _Tidy:
    """Cleans what one root holds; what is shared inside stays shared, and is cleaned once."""

    def __init__(self, root: Mapping[str, Json], losses: Losses) -> None:
        self.root = root
        self.losses = losses
        self.done: dict[int, Schema] = {}
        self.to_root = False

    def clean(self, schema: Json, pointer: str) -> Schema:
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        if not is_object(schema):
            self.losses.add(pointer, "invalid", f"a schema is no {type(schema).__name__}: anything is let in")
            return {}
        if id(schema) not in self.done:
            self.done[id(schema)] = self._cleaned(schema, pointer)
        return self.done[id(schema)]

    def _cleaned(self, schema: dict[str, Json], pointer: str) -> Schema:
        out: dict[str, Json] = {}
        for key, value in schema.items():
            self._keyword(key, value, out, pointer)
        kinds = out.get("type", ())
        if "array" in ([kinds] if isinstance(kinds, str) else kinds) and "items" not in out:
            out["items"] = {}  # OPENAI_ITEMS
        return schema if out == schema else out

    def _keyword(self, key: str, value: Json, out: dict[str, Json], pointer: str) -> None:
        if key == "items" and is_list(value) and value:  # draft 7 and before
            out["prefixItems"] = self._listed(value, under(pointer, key))
        elif not _KINDS.get(key, _is_anything)(value):
            self.losses.add(under(pointer, key), "invalid", f"{key!r} is not as JSON Schema 2020-12 has it: left out")
        elif key == "$ref":
            self._reference(value, out, under(pointer, key))
        elif key in _ONE:
            out[key] = value if isinstance(value, bool) and key != "items" else self.clean(value, under(pointer, key))
        elif key in _LIST:
            out[key] = self._listed(value, under(pointer, key))
        elif key in _MAP and is_object(value):
            out[key] = {name: self.clean(each, under(pointer, key, name)) for name, each in value.items()}
        elif key not in _NOT_WRITTEN:
            out[key] = [*dict.fromkeys(value)] if key == "required" else value

    def _listed(self, schemas: list[Json], here: str) -> list[Schema]:
        return [self.clean(each, under(here, number)) for number, each in enumerate(schemas)]

    def _reference(self, value: Json, out: dict[str, Json], here: str) -> None:
        if target(self.root, value) is None:
            self.losses.add(here, "invalid", "the reference leads nowhere in this schema: anything is let in")
            return
        self.to_root = self.to_root or not str(value).startswith(_DEFINED)
        out["$ref"] = value


_DATA = ("enum", "const", "default", "examples")
_DEFINED = ("#/$defs/", "#/definitions/")

WHOLE = "the-whole"
"""The definition that the root becomes where something refers to the root: the root itself may change then."""


def rebased(schema: Mapping[str, Json]) -> Mapping[str, Json]:
    """The schema with its root as a definition too, and with what referred to the root referring there."""
    moved: dict[str, Json] = {key: _moved(value) for key, value in schema.items()}
    whole = {key: value for key, value in moved.items() if key not in ("$defs", "definitions")}
    return {**moved, "$defs": {**moved.get("$defs", {}), WHOLE: whole}}


def _moved(value: Json) -> Json:
    if is_list(value):
        return [_moved(each) for each in value]
    if not is_object(value):
        return value
    moved = {key: each if key in _DATA else _moved(each) for key, each in value.items()}
    reference = value.get("$ref")
    if isinstance(reference, str) and not reference.startswith(_DEFINED):
        moved["$ref"] = f"#/$defs/{WHOLE}{reference[1:]}"
    return moved


_NOT_AT_ROOT = frozenset({"$ref", "allOf", "anyOf", "oneOf", "not", "enum", "const", "if", "then", "else"})


def plain_root(schema: Mapping[str, Json], losses: Losses) -> Mapping[str, Json]:
    """An object with all members that any alternative has; what members go together is lost, and reported."""
    if schema.get("type") == "object" and not schema.keys() & _NOT_AT_ROOT:
        return schema if "properties" in schema else {**schema, "properties": {}}
    kinds = schema.get("type", "object")
    if "object" not in ([kinds] if isinstance(kinds, str) else kinds):
        losses.add("/type", "invalid", "arguments are an object, whatever their schema says")
    members, required = _members(schema, schema, frozenset())
    if schema.keys() & _NOT_AT_ROOT - {"$ref", "allOf"}:
        losses.add("", "root", "the alternatives of the whole are merged: which arguments go together is not told")
    out: dict[str, Any] = {
        **{key: value for key, value in schema.items() if key not in _NOT_AT_ROOT},
        "type": "object",
        "properties": {name: _together(schemas, "allOf") for name, schemas in members.items()},
    }
    out.pop("required", None)
    return {**out, "required": required} if required else out


def _members(schema: Json, root: Mapping[str, Json], seen: frozenset[str]) -> tuple[dict[str, list[Schema]], list[str]]:
    if not is_object(schema):
        return {}, []
    members = {name: [each] for name, each in schema.get("properties", {}).items()}
    required = dict.fromkeys(schema.get("required", ()))
    for part in _also(schema, root, seen):
        inner, needed = _members(part, root, seen | {str(schema.get("$ref"))})
        for name, schemas in inner.items():
            members.setdefault(name, []).extend(schemas)
        required |= dict.fromkeys(needed)
    for word in ("anyOf", "oneOf"):
        branches = [_members(each, root, seen) for each in schema.get(word, ())]
        for name in dict.fromkeys(name for branch, _ in branches for name in branch):
            found = [_together(branch[name], "allOf") for branch, _ in branches if name in branch]
            members.setdefault(name, []).append(_together(found, "anyOf"))
        shared = [set(needed) for _, needed in branches]
        required |= dict.fromkeys(sorted(set[str].intersection(*shared)) if shared else ())
    return members, [*required]


def _also(schema: Mapping[str, Json], root: Mapping[str, Json], seen: frozenset[str]) -> list[Json]:
    reference = schema.get("$ref")
    found = target(root, reference) if reference not in seen else None
    return [*([found.schema] if found else []), *schema.get("allOf", ())]


def _together(schemas: list[Schema], word: str) -> Schema:
    different = [each for number, each in enumerate(schemas) if each not in schemas[:number]]
    return different[0] if len(different) == 1 else {word: different}
