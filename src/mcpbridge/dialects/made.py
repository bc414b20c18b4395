"""What became of one place of a schema, and how it is completed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from mcpbridge.dialects.back import Back, Text, Values
from mcpbridge.dialects.rules import Subset
from mcpbridge.tools import Json

Node: TypeAlias = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A schema in the provider's words, the way back, and whether null is allowed besides."""

    schema: Mapping[str, Json]
    back: Back = None
    null: bool = False


ONLY_NULL = Made(schema={}, null=True)
"""A place where only null may stand."""


def with_null(made: Made, subset: Subset) -> Made:
    """The same with null among its values, said as the provider says it."""
    schema = made.schema
    if not schema:
        said: Node = {"type": "null"}
        if subset.null_keyword:
            said = {"type": "string", "format": "enum", "enum": ["null"]}
            return Made(schema=said, back=Values(values={"null": None}))
    elif subset.null_keyword:
        said = {**schema, "nullable": True}
        if "anyOf" in schema:  # GEMINI_SCHEMA: nothing stands beside anyOf
            said = {"anyOf": [{**branch, "nullable": True} for branch in schema["anyOf"]]}
    elif "anyOf" in schema:
        said = {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    elif isinstance(schema.get("type"), str) and "enum" not in schema:
        said = {**schema, "type": [schema["type"], "null"]}
    else:
        said = {"anyOf": [schema, {"type": "null"}]}
    return Made(schema=said, back=made.back)


def described(made: Made, text: str, subset: Subset) -> Made:
    """The same with a description, where the provider lets one stand."""
    if not text or not made.schema:
        return made
    if isinstance(made.back, Text):
        return text_of(text)
    schema: Node
    if "anyOf" in made.schema and subset.null_keyword:
        branches = [{"description": text, **branch} for branch in made.schema["anyOf"]]
        schema = {**made.schema, "anyOf": branches}
    elif "$ref" in made.schema:  # OPENAI_STRICT: nothing stands beside a reference
        schema = {"anyOf": [made.schema], "description": text}
    else:
        schema = {**made.schema, "description": text}
    return Made(schema=schema, back=made.back, null=made.null)


def text_of(what: str) -> Made:
    """A value that can only be given as JSON text."""
    return Made(schema={"type": "string", "description": f"JSON text. {what}".strip()}, back=Text())
