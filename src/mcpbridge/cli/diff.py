"""`mcpbridge diff`: what a change means for those who call the tools of a description, a snapshot or a live server."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from mcpbridge.cli.described import print_json
from mcpbridge.cli.listing import listing_of
from mcpbridge.cli.opening import open_server, read_document, tell_problems, watched
from mcpbridge.cli.outcome import DONE, FAILED
from mcpbridge.cli.target import Described, read_target
from mcpbridge.compare.report import as_json as report_json
from mcpbridge.compare.report import report
from mcpbridge.compare.snapshot import read_tools
from mcpbridge.compare.tools import diff as difference
from mcpbridge.errors import ConfigError, DescriptionError, UpstreamError
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.tool import to_tool
from mcpbridge.tools import ANYONE, Json, Tool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Side:
    """What one of the two offers; a description says what tools answer with, a listing need not."""

    tools: Sequence[Tool]
    described: bool


async def diff(old: str, new: str, *, as_json: bool) -> int:
    """Shows what changed from one target to another, what breaks first; fails where something breaks.

    A target is a description, a snapshot or list of tools (a JSON file), or an MCP server, which is asked for its
    listing and nothing else. What tools say of themselves is compared, whoever may believe it.

    Raises: ConfigError for a target that can't be read.
    """
    before, after = await _side(old), await _side(new)
    changes = difference(*_comparable(before, after))
    if as_json:
        print_json(report_json(changes))
    else:
        sys.stdout.writelines(f"{line}\n" for line in report(changes))
    return FAILED if any(change.breaks for change in changes) else DONE


async def _side(text: str) -> _Side:
    try:
        if (listing := listing_of(text)) is not None:
            return _Side(tools=[_claimed(tool) for tool in read_tools(listing, where=text)], described=False)
        target = read_target(text)
        if isinstance(target, Described):
            return _Side(tools=_described(target), described=True)
        with watched(f"Asking {text} for its tools …"):
            async with open_server(target, ()) as source:
                return _Side(tools=[_claimed(tool) for tool in await source.list_tools(ANYONE)], described=False)
    except UpstreamError as error:
        raise ConfigError(f"{text}: {error.failure.message}. {error.failure.hint}".rstrip()) from error
    except DescriptionError as error:
        raise ConfigError(str(error)) from error


def _described(target: Described) -> Sequence[Tool]:
    document = read_document(target)
    with watched(f"Making tools of {target.name} …"):
        tools = [to_tool(operation, output_schema=True) for operation in read_operations(document)]
    tell_problems(document.reading.problems.found, target.name)
    return tools


def _claimed(tool: Tool) -> Tool:
    """The tool with the access that its own labels claim."""
    labels = tool.extra.get("annotations")
    said = cast("Mapping[str, Json]", labels).get("readOnlyHint") if isinstance(labels, Mapping) else None
    return replace(tool, access="read" if said else "write") if isinstance(said, bool) else tool


def _comparable(old: _Side, new: _Side) -> tuple[Sequence[Tool], Sequence[Tool]]:
    """Both sides without output schemas where one is a listing that has none and the other a description."""
    silent = any(not any(tool.output_schema for tool in side.tools) for side in (old, new))
    if old.described == new.described or not silent:
        return old.tools, new.tools
    return _without_outputs(old.tools), _without_outputs(new.tools)


def _without_outputs(tools: Sequence[Tool]) -> Sequence[Tool]:
    return [replace(tool, output_schema=None) for tool in tools]
