"""The three tools with which a model finds others: their definitions, and what their arguments mean. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from mcpbridge.errors import ArgumentProblem, InvalidArguments
from mcpbridge.tools import Json, Tool

MOST: Final = 50
"""The most tools that one search gives."""

USUAL: Final = 8

_NAME: Mapping[str, Json] = {"type": "string", "description": "The tool's name, as discover_tools gives it."}

DISCOVER: Final = Tool(
    name="discover_tools",
    description="Finds tools by what they do. Say the action and the thing, such as 'create an issue'. "
    "Gives names, what each does and whether it only reads; describe_tool then tells the arguments.",
    input_schema={
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "What you want to do, in a few words."},
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
        },
        "required": ["query"],
        "additionalProperties": False,
    },
    access="read",
    extra={"title": "Find tools", "annotations": {"readOnlyHint": True, "openWorldHint": False}},
)
DESCRIBE: Final = Tool(
    name="describe_tool",
    description="The whole definition of one tool: what it does and the JSON Schema of its arguments.",
    input_schema={
        "type": "object",
        "properties": {"name": _NAME},
        "required": ["name"],
        "additionalProperties": False,
    },
    access="read",
    extra={"title": "Describe a tool", "annotations": {"readOnlyHint": True, "openWorldHint": False}},
)
CALL: Final = Tool(
    name="call_tool",
    description="Calls a tool by its name, as if it were called directly: the same checks and approvals apply. "
    "Read describe_tool first.",
    input_schema={
        "type": "object",
        "properties": {
            "name": _NAME,
            "arguments": {"type": "object", "description": "The arguments, as the tool's own schema says."},
        },
        "required": ["name"],
        "additionalProperties": False,
    },
    extra={"title": "Call a tool", "annotations": {"readOnlyHint": False}},
)
OFFERED: Final[Mapping[str, Tool]] = {tool.name: tool for tool in (DISCOVER, DESCRIBE, CALL)}


def read_search(arguments: Mapping[str, Json]) -> tuple[str, int]:
    """The question, and how many tools are wanted. Raises: InvalidArguments."""
    _only(DISCOVER, arguments)
    limit = arguments.get("limit", USUAL)
    if type(limit) is not int or not 1 <= limit <= MOST:
        raise _wrong(DISCOVER, "/limit", f"a whole number from 1 to {MOST}", limit, example=USUAL)
    return _text(DISCOVER, arguments, "query"), limit


def read_name(arguments: Mapping[str, Json]) -> str:
    """The tool to describe. Raises: InvalidArguments."""
    _only(DESCRIBE, arguments)
    return _text(DESCRIBE, arguments, "name")


def read_call(arguments: Mapping[str, Json]) -> tuple[str, Mapping[str, Json]]:
    """The tool to call, and its arguments. Raises: InvalidArguments."""
    _only(CALL, arguments)
    given: Json = arguments.get("arguments", {})
    if not isinstance(given, Mapping):
        raise _wrong(CALL, "/arguments", "an object", given, example={})
    return _text(CALL, arguments, "name"), cast("Mapping[str, Json]", given)


def _text(tool: Tool, arguments: Mapping[str, Json], name: str) -> str:
    text: Json = arguments.get(name)
    if not isinstance(text, str):
        raise _wrong(tool, f"/{name}", "a text", text)
    return text


def _only(tool: Tool, arguments: Mapping[str, Json]) -> None:
    known = tool.input_schema["properties"]
    strange = [name for name in arguments if name not in known]
    if strange:
        problem = ArgumentProblem(
            path=f"/{strange[0]}", expected="no such argument", got="a value", allowed=tuple(known)
        )
        raise InvalidArguments([problem], tool=tool.name)


def _wrong(tool: Tool, path: str, expected: str, given: Json, *, example: Json = None) -> InvalidArguments:
    got = "nothing" if given is None else f"a {type(given).__name__}"
    return InvalidArguments([ArgumentProblem(path=path, expected=expected, got=got, example=example)], tool=tool.name)
