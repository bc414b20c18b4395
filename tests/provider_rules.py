"""What a provider would refuse a tool's definition for, by its documentation. It shares no code with the dialects."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema_rs

Schema = Mapping[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
ROOT_COMBINERS = ("oneOf", "anyOf", "allOf", "enum", "not", "const")

STRICT_KEYWORDS = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "$ref", "$defs",
    "description", "title", "pattern", "format", "multipleOf", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "minItems", "maxItems",
}  # fmt: skip
STRICT_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
GEMINI_FIELDS = {
    "type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems", "properties", "required",
    "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "example", "anyOf", "propertyOrdering",
    "default", "items", "minimum", "maximum",
}  # fmt: skip
GEMINI_FORMATS = {
    "string": {"enum", "date-time"},
    "number": {"float", "double"},
    "integer": {"int32", "int64"},
}


def refusals(provider: str, definition: Mapping[str, Any]) -> list[str]:
    """Every reason; none means that the provider takes it."""
    json.dumps(definition, allow_nan=False)
    return [*CHECKS[provider](definition)]


def _whole_json_schema(schema: Schema, place: str) -> Iterator[str]:
    """An object at the root, without combiners there, and JSON Schema 2020-12 below."""
    if schema.get("type") != "object":
        yield f"{place}: the root is no object"
    yield from (f"{place}: {word} at the root" for word in ROOT_COMBINERS if word in schema)
    try:
        whole = {**schema, "$schema": DRAFT}
        jsonschema_rs.meta.validate(whole)
        jsonschema_rs.validator_for(whole)
    except (jsonschema_rs.ValidationError, ValueError, jsonschema_rs.ReferencingError) as error:
        yield f"{place}: no JSON Schema: {str(error)[:200]}"


def _openai(definition: Mapping[str, Any]) -> Iterator[str]:
    if definition["type"] != "function" or not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", definition["name"]):
        yield f"name {definition['name']!r}"
    if len(definition["description"]) > 1024:
        yield "description of more than 1024 characters"
    schema = definition["parameters"]
    yield from _whole_json_schema(schema, "parameters")
    if not isinstance(schema.get("properties"), dict):
        yield "no properties"
    for node in _nodes(schema):
        kinds = node.get("type", ())
        if "array" in ([kinds] if isinstance(kinds, str) else kinds) and "items" not in node:
            yield "a list without items"


def _openai_strict(definition: Mapping[str, Any]) -> Iterator[str]:
    yield from _openai(definition)
    root = definition["parameters"]
    if definition["strict"] is not True:
        yield "not strict"
    definitions = root.get("$defs", {})
    for node in _nodes(root):
        yield from _strict_node(node, definitions)
    nodes = [*_nodes(root)]
    members = [name for node in nodes for name in node.get("properties", ())]
    values = [value for node in nodes for value in node.get("enum", ())]
    if len(members) > 5000:
        yield f"{len(members)} members"
    if len(values) > 1000:
        yield f"{len(values)} values"
    if sum(map(len, members)) + sum(map(len, definitions)) + sum(len(str(value)) for value in values) > 120_000:
        yield "more than 120,000 characters of names and values"
    for part in [root, *definitions.values()]:
        if _levels(part, ("object",)) > 10:
            yield f"{_levels(part, ('object',))} levels of objects"


def _strict_node(node: Schema, definitions: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"keyword {word!r}" for word in node.keys() - STRICT_KEYWORDS)
    if not node.keys() & {"type", "$ref", "anyOf", "enum", "const"}:
        yield f"no type: {node}"
    if "$ref" in node and (len(node) > 1 or node["$ref"].removeprefix("#/$defs/") not in definitions):
        yield f"reference {node}"
    kinds = [node["type"]] if isinstance(node.get("type"), str) else node.get("type", [])
    if "object" in kinds:
        if node.get("additionalProperties") is not False:
            yield "an open object"
        if [*node.get("required", ())] != [*node.get("properties", {})]:
            yield "not all members are required"
    if "format" in node and (node["format"] not in STRICT_FORMATS or "string" not in kinds):
        yield f"format {node['format']!r}"
    if "(?" in node.get("pattern", ""):
        yield f"pattern {node['pattern']!r}"
    texts = [value for value in node.get("enum", ()) if isinstance(value, str)]
    if len(texts) > 250 and sum(map(len, texts)) > 15_000:
        yield "an enumeration of more than 15,000 characters"


def _gemini(definition: Mapping[str, Any]) -> Iterator[str]:
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_.-]{0,63}", definition["name"]):
        yield f"name {definition['name']!r}"
    if "parameters" not in definition:
        return
    root = definition["parameters"]
    if root.get("type") != "object":
        yield "the root is no object"
    for node in _nodes(root):
        yield from _gemini_node(node)
    if _levels(root, ("object", "array")) > 4:
        yield "more than four levels of objects and lists"


def _gemini_node(node: Schema) -> Iterator[str]:
    yield from (f"field {word!r}" for word in node.keys() - GEMINI_FIELDS)
    if "anyOf" in node:
        if len(node) > 1:
            yield f"fields beside anyOf: {[*node]}"
        return
    kind = node.get("type")
    if kind not in {"string", "number", "integer", "boolean", "array", "object"}:
        yield f"type {kind!r}"
        return
    if "format" in node and node["format"] not in GEMINI_FORMATS.get(kind, set()):
        yield f"format {node['format']!r} of {kind}"
    if "enum" in node:
        values = node["enum"]
        if kind != "string" or not values or not all(isinstance(value, str) and value for value in values):
            yield f"enum {values}"
        elif len(set(values)) != len(values):
            yield "an enum that repeats a value"
    if kind == "object":
        properties = node.get("properties")
        if not properties:
            yield "an object without members"
        elif not {*node.get("required", ())} <= properties.keys():
            yield "a required member that is none"
        else:
            yield from (
                f"member {name!r}" for name in properties if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]{0,63}", name)
            )
    if kind == "array" and not isinstance(node.get("items"), dict):
        yield "a list without items"


def _anthropic(definition: Mapping[str, Any]) -> Iterator[str]:
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", definition["name"]):
        yield f"name {definition['name']!r}"
    schema = definition["input_schema"]
    yield from _whole_json_schema(schema, "input_schema")
    yield from (f"member {name!r}" for name in schema["properties"] if not re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", name))


CHECKS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "openai": _openai,
    "openai-strict": _openai_strict,
    "gemini": _gemini,
    "anthropic": _anthropic,
}

_MAPS = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")


def _inner(schema: Schema) -> Iterator[Schema]:
    found = [each for word in _MAPS for each in schema.get(word, {}).values()]
    found += [each for word in _LISTS for each in schema.get(word, ())]
    found += [schema[word] for word in _SINGLE if word in schema]
    yield from (each for each in found if isinstance(each, dict))


def _nodes(schema: Schema) -> Iterator[Schema]:
    waiting, seen = [schema], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            waiting.extend(_inner(node))


def _levels(schema: Schema, kinds: tuple[str, ...]) -> int:
    """How deep such types nest, without following references."""
    own = schema.get("type", ())
    here = any(kind in kinds for kind in ([own] if isinstance(own, str) else own))
    inner = [_levels(each, kinds) for each in _inner({key: schema[key] for key in schema if key != "$defs"})]
    return int(here) + max(inner, default=0)
