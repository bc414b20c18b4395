"""`check_tool`: one tool is fit to be shown to a model, and its schema takes and refuses what it should."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from mcpbridge.openapi.jsontext import is_list
from mcpbridge.tools import Json, Tool
from mcpbridge.wrap.compiled import Compiled, UnusableSchema, compile_schema, errors_of
from mcpbridge.wrap.problems import read_problems

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
ARGUMENT = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


def check_tool(
    tool: Tool, *, accepts: Sequence[Mapping[str, Json]] = (), refuses: Sequence[Mapping[str, Json]] = ()
) -> None:
    """A tool that MCP clients and model providers take, whose input schema accepts and refuses these arguments.

    Looked at: the name, a description, both schemas (JSON Schema 2020-12, whole, an object at the root), names of
    arguments, defaults and examples that fit their own schema, labels that agree with `access`.

    Raises: AssertionError that lists all that is wrong.
    """
    __tracebackhide__ = True
    problems = [*_problems(tool), *_arguments(tool, accepts, refuses)]
    if problems:
        raise AssertionError(f"the tool {tool.name!r}:\n" + "\n".join(f"  - {problem}" for problem in problems))


def _problems(tool: Tool) -> Iterator[str]:
    if not NAME.fullmatch(tool.name):
        yield f"its name does not match {NAME.pattern}, which model providers demand"
    if not tool.description.strip():
        yield "it has no description: a model chooses by it"
    for name, schema in (("inputSchema", tool.input_schema), ("outputSchema", tool.output_schema)):
        if schema is not None:
            yield from _schema(name, schema)
    if isinstance(cast("object", tool.input_schema), Mapping):
        yield from _members(tool.input_schema)
    yield from _labels(tool)


def _schema(name: str, schema: Json) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        yield f"{name} is a {type(schema).__name__}, no JSON Schema object"
        return
    root = cast("Mapping[str, Json]", schema)
    if root.get("type") != "object":
        yield f"{name} has the type {root.get('type')!r} at its root, and MCP wants 'object'"
    try:
        json.dumps(root, allow_nan=False, default=dict)
        compile_schema(root)
    except (TypeError, ValueError) as error:
        yield f"{name} is no JSON: {error}"
    except UnusableSchema as error:
        yield f"{name} is no usable JSON Schema: {error}"


def _members(schema: Mapping[str, Json]) -> Iterator[str]:
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        return
    members = cast("Mapping[str, Json]", properties)
    required = schema.get("required", ())
    for name in cast("Sequence[str]", required if is_list(required) else ()):
        if name not in members:
            yield f"{name!r} is required, and is no argument"
    for name, member in members.items():
        if not ARGUMENT.fullmatch(name):
            yield f"the argument {name!r} does not match {ARGUMENT.pattern}, which model providers demand"
        if isinstance(member, Mapping):
            yield from _shown(name, cast("Mapping[str, Json]", member), schema)


def _shown(name: str, member: Mapping[str, Json], root: Mapping[str, Json]) -> Iterator[str]:
    """What a model copies: a default or an example that does not fit is a call that fails."""
    given: list[tuple[str, Json]] = [("default", member["default"])] if "default" in member else []
    if is_list(examples := member.get("examples")):
        given += [("example", each) for each in examples]
    for what, value in given:
        one = {"type": "object", "properties": {name: member}, **{key: root[key] for key in _SHARED if key in root}}
        compiled = _compiled(one)
        if compiled is not None and not compiled.validator.is_valid({name: value}):
            yield f"the {what} {value!r} of {name!r} does not fit its own schema"


_SHARED = ("$defs", "definitions", "$schema")


def _labels(tool: Tool) -> Iterator[str]:
    labels = tool.extra.get("annotations")
    said: Mapping[str, Json] = cast("Mapping[str, Json]", labels) if isinstance(labels, Mapping) else {}
    if tool.access not in ("read", "write"):
        yield f"its access is {tool.access!r}, and has to be 'read' or 'write'"
    if tool.access == "read" and said.get("readOnlyHint") is False:
        yield "it counts as one that reads, and its readOnlyHint says that it writes"
    if said.get("readOnlyHint") is True and said.get("destructiveHint") is True:
        yield "its labels say that it only reads, and that it destroys"


def _arguments(
    tool: Tool, accepts: Sequence[Mapping[str, Json]], refuses: Sequence[Mapping[str, Json]]
) -> Iterator[str]:
    compiled = _compiled(tool.input_schema)
    if compiled is None:
        return
    for arguments in accepts:
        if not compiled.validator.is_valid(dict(arguments)):
            found = read_problems(errors_of(compiled, dict(arguments)), tool.input_schema)
            yield f"it refuses {dict(arguments)!r}: " + "; ".join(problem.line() for problem in found)
    for arguments in refuses:
        if compiled.validator.is_valid(dict(arguments)):
            yield f"it accepts {dict(arguments)!r}"


def _compiled(schema: Mapping[str, Json]) -> Compiled | None:
    try:
        return compile_schema(schema)
    except (UnusableSchema, TypeError, ValueError):
        return None
