"""`mcpbridge tools`: what a target offers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from mcpbridge.cli.headers import read_headers
from mcpbridge.cli.opening import open_server, read_document, tell_problems, watched
from mcpbridge.cli.outcome import DONE, say
from mcpbridge.cli.select import read_selection
from mcpbridge.cli.target import Described, read_target
from mcpbridge.openapi.operation import Operation
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.tool import to_tool
from mcpbridge.source.base import ToolSource
from mcpbridge.tools import ANYONE, Tool


async def tools(text: str, *, as_json: bool, select: Sequence[str], explain: str | None, headers: Sequence[str]) -> int:
    """Lists the tools, or explains one.

    Raises: BridgeError.
    """
    target = read_target(text)
    selection = read_selection(select, described=isinstance(target, Described))
    if isinstance(target, Described):
        document = read_document(target)
        with watched("Making tools …"):
            operations = {one.name: one for one in read_operations(document) if selection.operation(one)}
            listed = [to_tool(operation) for operation in operations.values()]
        tell_problems(document.problems, target.name)
        if explain is not None:
            return await _explain(explain, None, listed, operations.get(explain), as_json=as_json)
    else:
        async with open_server(target, read_headers(headers, os.environ)) as source:
            listed = [tool for tool in await source.list_tools(ANYONE) if selection.tool(tool)]
            if explain is not None:
                return await _explain(explain, source, listed, None, as_json=as_json)
    if as_json:
        _print_json([tool.to_wire() for tool in listed])
    else:
        _print_table(listed)
    return DONE


async def _explain(
    name: str, source: ToolSource | None, listed: Sequence[Tool], operation: Operation | None, *, as_json: bool
) -> int:
    from mcpbridge.cli.explain import Listing, explained, lines  # noqa: PLC0415 - the import budget: a listing needs no gateway

    told = await explained(name, source or Listing(listed), listed, operation)
    if as_json:
        _print_json(told)
    else:
        sys.stdout.write(lines(told))
    return DONE


def _print_json(shown: object) -> None:
    json.dump(shown, sys.stdout, ensure_ascii=False, separators=(",", ":"), default=dict)
    sys.stdout.write("\n")


def _print_table(listed: Sequence[Tool]) -> None:
    from mcpbridge.cli.table import tool_table  # noqa: PLC0415 - the import budget: programs need no table

    tool_table(listed)
    writes = sum(tool.access == "write" for tool in listed)
    say(f"{len(listed)} tools: {len(listed) - writes} read, {writes} write (a write asks a person first)")
