"""Looking into converted schemas through references and compositions; nothing is copied that need not be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from mcpbridge.openapi.jsontext import is_object
from mcpbridge.openapi.operation import Schema

Node: TypeAlias = "dict[str, Any]"
Definitions: TypeAlias = Mapping[str, Schema]

_PREFIX = "#/$defs/"
_HOPS = 64
_ANNOTATIONS = frozenset({"description", "title", "default", "examples", "deprecated", "format"})
_MERGED = _ANNOTATIONS | {"type", "properties", "required", "additionalProperties", "allOf", "$ref"}
_ONE = ("items", "not", "additionalProperties", "propertyNames", "contains", "if", "then", "else",
        "unevaluatedProperties", "unevaluatedItems", "contentSchema")  # fmt: skip
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS = ("properties", "patternProperties", "dependentSchemas", "$defs")
LEAVES = frozenset({"type", "description", "format", "enum", "default", "examples", "minimum", "maximum", "pattern"})
"""Keywords that hold no schema; a schema of only these refers to nothing."""


def definition_name(ref: Any) -> str | None:
    """The name in a `#/$defs/NAME` reference, else None."""
    return ref[len(_PREFIX) :] if isinstance(ref, str) and ref.startswith(_PREFIX) else None


def behind(schema: Schema, definitions: Definitions) -> Schema:
    """The schema behind a reference that stands alone, or beside annotations only."""
    for _ in range(_HOPS):
        if isinstance(schema, bool) or (name := definition_name(schema.get("$ref"))) is None:
            return schema
        if not schema.keys() - _ANNOTATIONS <= {"$ref"}:
            return schema
        schema = definitions.get(name, True)
    return True


def references_in(schema: Schema) -> Iterator[str]:
    """The names of the definitions that a schema refers to itself, in the order found, some maybe twice."""
    stack: list[Any] = [schema]
    while stack:
        each = stack.pop()
        if not is_object(each) or each.keys() <= LEAVES:
            continue
        if (name := definition_name(each.get("$ref"))) is not None:
            yield name
        for key, value in each.items():
            if key in _ONE:
                stack.append(value)
            elif key in _LISTS:
                stack.extend(value)
            elif key in _MAPS:
                stack.extend(value.values())


def merged(schema: Schema, definitions: Definitions) -> Node | None:
    """One object schema with known members that says just what an object schema composed of several says.

    None where that cannot be said exactly, or where the object is open by intent: no members, other types,
    alternatives, conditions, `additionalProperties` that are described, `allOf` of parts that close themselves.
    """
    parts: list[Node] = []
    if not _parts(schema, definitions, parts, 0) or not any(part.get("properties") for part in parts):
        return None
    closed = [part for part in parts if part.get("additionalProperties") is False]
    names = {name for part in parts for name in part.get("properties", ())}
    if any(names - part.get("properties", {}).keys() for part in closed):
        return None
    members: Node = {}
    for part in parts:
        for name, each in part.get("properties", {}).items():
            known = members.get(name)
            members[name] = each if known is None or known == each else {"allOf": [known, each]}
    required = list(dict.fromkeys(name for part in parts for name in part.get("required", ())))
    for name in required:
        members.setdefault(name, {})
    out: Node = {"type": "object", "properties": members}
    if required:
        out["required"] = required
    return out


def _parts(schema: Schema, definitions: Definitions, parts: list[Node], depth: int) -> bool:
    if isinstance(schema, bool) or depth > _HOPS:
        return schema is True
    kind, extra = schema.get("type"), schema.get("additionalProperties", False)
    if not schema.keys() <= _MERGED or kind not in (None, "object") or extra is not False:
        return False
    if (name := definition_name(schema.get("$ref"))) is not None and not (
        name in definitions and _parts(definitions[name], definitions, parts, depth + 1)
    ):
        return False
    parts.append(dict(schema))
    return all(_parts(each, definitions, parts, depth + 1) for each in schema.get("allOf", ()))


def members_of(schema: Schema, definitions: Definitions) -> Node:
    """Every member that an object may have by any of the schemas it is composed of; the first says what it is."""
    found: Node = {}
    stack: list[Schema] = [schema]
    seen: set[int] = set()
    while stack:
        node = stack.pop()
        if isinstance(node, bool) or id(node) in seen:
            continue
        seen.add(id(node))
        for name, each in node.get("properties", {}).items():
            found.setdefault(name, each)
        if (name := definition_name(node.get("$ref"))) is not None and name in definitions:
            stack.append(definitions[name])
        for key in ("oneOf", "anyOf", "allOf"):
            stack.extend(reversed(node.get(key, ())))
    return found


def plain(schema: Schema, definitions: Definitions) -> Mapping[str, Any]:
    """What a value is at least, through references, an `allOf` of one and an alternative to null."""
    for _ in range(_HOPS):
        schema = behind(schema, definitions)
        if isinstance(schema, bool):
            return {}
        branches = [
            each for key in ("allOf", "anyOf", "oneOf") for each in schema.get(key, ()) if each != {"type": "null"}
        ]
        if "type" in schema or len(branches) != 1:
            return schema
        schema = branches[0]
    return {}
