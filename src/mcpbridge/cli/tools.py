"""`mcpbridge tools`: what a target offers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mcpbridge.cli.headers import read_headers
from mcpbridge.cli.opening import open_server, read_document, tell_problems, watched
from mcpbridge.cli.outcome import DONE, say
from mcpbridge.cli.select import closest, read_selection
from mcpbridge.cli.target import Described, read_target
from mcpbridge.errors import ConfigError
from mcpbridge.openapi.operation import Operation
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.tool import to_tool
from mcpbridge.tools import ANYONE, Tool


async def tools(text: str, *, as_json: bool, select: Sequence[str], explain: str | None, headers: Sequence[str]) -> int:
    """Lists the tools, or explains one.

    Raises: BridgeError.
    """
    target = read_target(text)
    selection = read_selection(select, described=isinstance(target, Described))
    operations: Mapping[str, Operation] = {}
    if isinstance(target, Described):
        document = read_document(target)
        with watched("Making tools …"):
            operations = {one.name: one for one in read_operations(document) if selection.operation(one)}
            listed = [to_tool(operation) for operation in operations.values()]
        tell_problems(document.problems, target.name)
    else:
        async with open_server(target, read_headers(headers, os.environ)) as source:
            listed = [tool for tool in await source.list_tools(ANYONE) if selection.tool(tool)]
    if explain is not None:
        return _explain(_named(explain, listed), operations.get(explain), as_json=as_json)
    if as_json:
        _print_json([tool.to_wire() for tool in listed])
    else:
        _print_table(listed)
    return DONE


def _named(name: str, listed: Sequence[Tool]) -> Tool:
    for tool in listed:
        if tool.name == name:
            return tool
    raise ConfigError(f"there is no tool {name!r}{closest(name, [tool.name for tool in listed])}")


def _explain(tool: Tool, operation: Operation | None, *, as_json: bool) -> int:
    told = explained(tool, operation)
    if as_json:
        _print_json(told)
        return DONE
    lines = [f"{tool.name} ({told['access']}: {told['approval']})", "", tool.description, ""]
    if "request" in told:
        lines += [f"request    {told['request']}"]
    for hint, value in told.get("hints", {}).items():
        lines += [f"label      {hint} = {value['value']} (from the {value['source']})"]
    for name, place in told.get("arguments", {}).items():
        lines += [f"argument   {name} → {place['where']} {place['name']}".rstrip()]
    sys.stdout.write("\n".join(lines) + "\n")
    return DONE


def explained(tool: Tool, operation: Operation | None) -> dict[str, Any]:
    """What a person wants to know of a tool before it is let loose: its request, its labels, where arguments go."""
    told: dict[str, Any] = {
        "name": tool.name,
        "description": tool.description,
        "access": tool.access,
        "approval": "runs without asking" if tool.access == "read" else "asks a person first",
        "inputSchema": tool.input_schema,
    }
    if operation is not None:
        told["request"] = f"{operation.method.upper()} {operation.path}"
        told["pointer"] = operation.pointer
        told["hints"] = {name: {"value": hint.value, "source": hint.source} for name, hint in operation.hints.items()}
        told["arguments"] = {
            name: {"where": place.where, "name": place.name} for name, place in operation.arguments.items()
        }
    return told


def _print_json(shown: object) -> None:
    json.dump(shown, sys.stdout, ensure_ascii=False, separators=(",", ":"), default=dict)
    sys.stdout.write("\n")


def _print_table(listed: Sequence[Tool]) -> None:
    from mcpbridge.cli.table import tool_table  # noqa: PLC0415 - the import budget: programs need no table

    tool_table(listed)
    writes = sum(tool.access == "write" for tool in listed)
    say(f"{len(listed)} tools: {len(listed) - writes} read, {writes} write (a write asks a person first)")
