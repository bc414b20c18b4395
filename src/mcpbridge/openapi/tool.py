"""An operation as a tool: one flat object of arguments, self-contained, with a description made for a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mcpbridge.openapi.composed import (
    LEAVES,
    Definitions,
    Node,
    behind,
    definition_name,
    members_of,
    plain,
    references_in,
)
from mcpbridge.openapi.jsontext import is_list
from mcpbridge.openapi.operation import Operation, Schema
from mcpbridge.openapi.schema import Schemas
from mcpbridge.openapi.wording import cut, first_sentence, line
from mcpbridge.tools import Tool

DESCRIPTION_LENGTH = 400
"""The most characters that a tool's description takes; `Operation.description` keeps the whole text."""


def to_tool(operation: Operation, *, output_schema: bool = False) -> Tool:
    """The tool. `output_schema` adds what a success looks like, in the relaxed form that `output_of` tells."""
    return Tool(
        name=operation.name,
        description=describe(operation),
        input_schema=input_of(operation),
        output_schema=output_of(operation) if output_schema else None,
        access=operation.access,
        extra=_extra(operation),
    )


def input_of(operation: Operation) -> Mapping[str, Any]:
    """The JSON Schema 2020-12 of all arguments, with just the definitions that it needs, shared and not copied."""
    properties: Node = {}
    required: list[str] = []
    for parameter in operation.parameters:
        properties[parameter.argument] = _said(parameter.schema, parameter.description)
        if parameter.required:
            required.append(parameter.argument)
    if (body := operation.body) is not None:
        if body.members is None:
            properties[body.argument] = _said(body.schema, body.description)
            if body.required:
                required.append(body.argument)
        elif not isinstance(body.schema, bool):
            members, needed = body.schema.get("properties", {}), body.schema.get("required", ())
            for argument, member in body.members.items():
                properties[argument] = members.get(member, {})
                if member in needed:
                    required.append(argument)
    schema: Node = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    if definitions := needed_definitions(properties.values(), operation.definitions):
        schema["$defs"] = definitions
    return schema


def needed_definitions(schemas: Iterable[Schema], definitions: Definitions) -> Node:
    """Every definition that the schemas reach, by name."""
    names: dict[str, None] = {}
    for schema in schemas:
        if not isinstance(schema, bool) and not schema.keys() <= LEAVES:
            for name in references_in(schema):
                names[name] = None
    if not names:
        return {}
    waiting = [*names]
    while waiting:
        name = waiting.pop()
        for inner in _edges(name, definitions):
            if inner not in names:
                names[inner] = None
                waiting.append(inner)
    return {name: definitions[name] for name in sorted(names) if name in definitions}


def _edges(name: str, definitions: Definitions) -> Sequence[str]:
    if isinstance(definitions, Schemas):
        return definitions.edges(name)
    return [*references_in(definitions[name])] if name in definitions else ()


def output_of(operation: Operation) -> Mapping[str, Any] | None:
    """What a success looks like: an object's members with their types, nothing required, null allowed.

    Clients drop answers that do not match what was advertised, so that only what is certain to help is said. None
    where a success is no object: `structuredContent` is one.
    """
    if operation.output is None:
        return None
    if not isinstance(definitions := operation.definitions, Schemas):
        return _relaxed_object(behind(operation.output, definitions), definitions)
    outlines = definitions.outlines
    name = None if isinstance(operation.output, bool) else definition_name(operation.output.get("$ref"))
    if name is None:
        return _relaxed_object(operation.output, outlines)
    if name not in outlines.derived:
        outlines.derived[name] = _relaxed_object(behind(operation.output, outlines), outlines)
    made: Mapping[str, Any] | None = outlines.derived[name]
    return made


def _relaxed_object(root: Schema, definitions: Definitions) -> Node | None:
    members = members_of(root, definitions)
    kind = plain(root, definitions).get("type", "object" if members else None)
    if kind != "object" and not (is_list(kind) and "object" in kind):
        return None
    return {"type": "object", "properties": {name: _relaxed(each, definitions) for name, each in members.items()}}


def _relaxed(schema: Schema, definitions: Definitions) -> Node:
    if isinstance(schema, bool):
        return {}
    kind = schema["type"] if "type" in schema else plain(schema, definitions).get("type")
    out: Node = {}
    if isinstance(kind, str):
        out["type"] = [kind, "null"] if kind != "null" else "null"
    elif is_list(kind):
        out["type"] = [*kind, "null"] if "null" not in kind else kind
    return out


def describe(operation: Operation) -> str:
    """One usable sentence first, then as much of the rest as the budget allows."""
    title = operation.title
    text = first_sentence(operation.description, DESCRIPTION_LENGTH) if operation.description else ""
    if not title:
        described = text or _by_name(operation)
    elif not text or _same(title, text):
        described = text if len(text) > len(title) else title
    else:
        described = cut(f"{title.rstrip('.')}. {text}", DESCRIPTION_LENGTH)
    if described[-1:] not in (".", "!", "?", "…", ":"):
        described += "."
    return f"Deprecated. {described}" if operation.deprecated else described


def _same(title: str, text: str) -> bool:
    return text.casefold().startswith(title.rstrip(".").casefold())


def _by_name(operation: Operation) -> str:
    return line(f"{operation.method} {operation.path}", 200)


def _said(schema: Schema, description: str) -> Schema:
    """The schema with a description, where it has none of its own."""
    if not description or schema is False or (schema is not True and "description" in schema):
        return schema
    return {**({} if schema is True else schema), "description": line(description)}


def _extra(operation: Operation) -> Node:
    annotations = {name: hint.value for name, hint in operation.hints.items() if name != "title"}
    own = operation.hints.get("title")
    title = str(own.value) if own is not None else operation.title
    extra: Node = {"title": title} if title else {}
    if annotations:
        extra["annotations"] = annotations
    return extra
