"""Rules about input schemas that are wrong as schemas (MB301 to MB305)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mcpbridge.linting.rule import Hit, Node, NodeRule, Rule, ToolRule, readable
from mcpbridge.linting.schemas import is_number, malformed, target_of
from mcpbridge.linting.settings import LintLimits
from mcpbridge.linting.subject import Subject
from mcpbridge.openapi.jsontext import is_list, is_object

_CONDITIONS = ("anyOf", "oneOf", "allOf", "not", "if")
_PAIRS = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
)
_BOUNDS = frozenset({"enum", *(high for _, high in _PAIRS)})


def _no_schema(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    schema: object = subject.tool.input_schema
    if not isinstance(schema, dict):
        yield Hit("/inputSchema", f"the schema is a {type(schema).__name__}, not an object")
    elif schema.get("type") != "object":  # pyright: ignore[reportUnknownMemberType] - JSON
        yield Hit("/inputSchema/type", "the type is not 'object', which MCP asks for")


def _undeclared(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    needed, known = subject.schema.get("required"), subject.schema.get("properties", {})
    if is_list(needed) and is_object(known) and not any(each in subject.schema for each in _CONDITIONS):
        for index, name in enumerate(needed):
            if isinstance(name, str) and name not in known:
                yield Hit(f"/inputSchema/required/{index}", f"{readable(name, 64)!r} is required but not declared")


def _dangling(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    known: dict[str, bool] = {}
    for place, part in subject.parts:
        for pointer, reference in part.references:
            if reference not in known:
                known[reference] = target_of(reference, subject.schema) is not None
            if not known[reference]:
                yield Hit(f"{place}{pointer}/$ref", f"nothing in the schema is at {readable(reference, 80)!r}")


def _contradicts(node: Node) -> str:
    if not node.keys() & _BOUNDS:
        return ""
    for low, high in _PAIRS:
        least, most = node.get(low), node.get(high)
        if is_number(least) and is_number(most) and least > most:
            return f"{low} {least} is above {high} {most}"
    if is_list(values := node.get("enum")):
        if not values:
            return "enum is empty, so that no value is valid"
        if "default" in node and node["default"] not in values:
            return "default is none of the enum"
    return ""


RULES: Sequence[Rule] = (
    ToolRule(
        code="MB301",
        severity="error",
        title="input schema that is no schema of an object",
        why="MCP asks for an object with `type: object`; clients drop the tool, some the whole listing",
        fix="give {'type': 'object', 'properties': {…}}",
        source="https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool",
        check=_no_schema,
    ),
    NodeRule(
        code="MB302",
        severity="error",
        title="keyword that holds what it can't",
        why="a validator refuses the whole schema, so that no call can be checked",
        fix="write the keyword as JSON Schema 2020-12 has it",
        source="https://json-schema.org/draft/2020-12/json-schema-validation",
        check=malformed,
    ),
    ToolRule(
        code="MB303",
        severity="error",
        title="required argument that is not declared",
        why="a model does not know it, so that every call is refused",
        fix="declare it in properties, or take it out of required",
        check=_undeclared,
    ),
    ToolRule(
        code="MB304",
        severity="error",
        title="reference that leads nowhere",
        why="no validator and no provider follows a reference out of the schema",
        fix="put the definition into $defs",
        check=_dangling,
    ),
    NodeRule(
        code="MB305",
        severity="warning",
        title="bounds or default that contradict",
        why="no value fits, or the default is refused",
        fix="correct the bounds, or the default",
        check=_contradicts,
    ),
)
