"""Rules about what a tool says of its answers (MB8xx)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mcpbridge.linting.rule import Hit, Rule, ToolRule
from mcpbridge.linting.schemas import malformed
from mcpbridge.linting.settings import LintLimits
from mcpbridge.linting.subject import Subject

_SHAPE = {"properties", "patternProperties", "$ref", "anyOf", "oneOf", "allOf", "enum", "const", "required"}


def _no_object(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    schema: object = subject.tool.output_schema
    if schema is None:
        return
    if not isinstance(schema, dict):
        yield Hit("/outputSchema", f"the schema is a {type(schema).__name__}, not an object")
    elif schema.get("type") != "object":  # pyright: ignore[reportUnknownMemberType] - JSON
        yield Hit("/outputSchema/type", "the type is not 'object', which MCP asks for")
    elif problem := malformed(subject.tool.output_schema or {}):
        yield Hit("/outputSchema", problem)


def _says_nothing(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    schema = subject.tool.output_schema
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return
    closed = schema.get("additionalProperties", True)
    if not any(schema.get(keyword) for keyword in _SHAPE) and closed in (True, {}):
        yield Hit("/outputSchema", "every object fits the schema")


RULES: Sequence[Rule] = (
    ToolRule(
        code="MB801",
        severity="error",
        title="output schema that is no schema of an object",
        why="clients lose the tool, and some the whole listing: MCP's structured content is an object",
        fix="put the value into a member of an object, or give no output schema",
        source="https://modelcontextprotocol.io/specification/2025-11-25/server/tools#output-schema",
        check=_no_object,
    ),
    ToolRule(
        code="MB802",
        severity="info",
        title="output schema that is open to anything",
        why="it costs tokens and tells neither model nor client what comes back",
        fix="declare the members, or leave the output schema out",
        check=_says_nothing,
    ),
)
