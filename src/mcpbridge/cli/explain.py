"""`mcpbridge tools --explain`: what a person wants to know of one tool before it is let loose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from mcpbridge.build import guarded
from mcpbridge.cli.select import closest
from mcpbridge.errors import ConfigError, ToolNotFound
from mcpbridge.openapi.operation import Operation
from mcpbridge.source.base import ToolSource, Verdict
from mcpbridge.tools import ANYONE, Caller, Item, Kind, Tool
from mcpbridge.wrap.approve import Approve

_CALLED: Mapping[str, str] = {"allowed": "runs without asking", "asks": "asks a person first"}


class Listing(ToolSource):
    """The tools that a target offers, to be explained and not called."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        return tuple(self._tools.values()) if kind == "tool" else ()

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        if kind != "tool" or key not in self._tools:
            raise ToolNotFound(key, kind)
        return self._tools[key]


async def explained(
    name: str, source: ToolSource, tools: Sequence[Tool], operation: Operation | None = None
) -> dict[str, Any]:
    """The tool's request, its labels, where its arguments go, and what each layer of a gateway says of it, as JSON.

    A source that is no gateway is explained as `serve` would serve it. Of a tool that is hidden there is the reason.

    Raises: ConfigError for a name that is none.
    """
    verdicts = await source.explain(name, ANYONE)
    if verdicts[-1].allowed and all(verdict.layer != Approve.__name__ for verdict in verdicts):
        verdicts = await guarded(source).explain(name, ANYONE)
    if verdicts[-1].code == ToolNotFound.code:
        raise ConfigError(f"there is no tool {name!r}{closest(name, [tool.name for tool in tools])}")
    told = {"name": name, "approval": _called(verdicts), "verdicts": [asdict(verdict) for verdict in verdicts]}
    try:
        tool = await source.get_tool(name, ANYONE)
    except ToolNotFound:
        return {**told, "approval": "can't be called"}
    shown = {"access": tool.access, "description": tool.description, "inputSchema": tool.input_schema}
    return {**told, **shown, **(_request(operation) if operation is not None else {})}


def lines(told: Mapping[str, Any]) -> str:
    """What was told of a tool, for a person."""
    shown = [f"{told['name']} ({told.get('access', 'hidden')}: {told['approval']})", ""]
    shown += [told["description"], ""] if "description" in told else []
    if "request" in told:
        shown += [f"request    {told['request']}"]
    for hint, value in told.get("hints", {}).items():
        shown += [f"label      {hint} = {value['value']} (from the {value['source']})"]
    for name, place in told.get("arguments", {}).items():
        shown += [f"argument   {name} → {place['where']} {place['name']}".rstrip()]
    for verdict in told["verdicts"]:
        shown += [f"verdict    {verdict['layer']}: {verdict['code']} ({verdict['message']})"]
    return "\n".join(shown) + "\n"


def _called(verdicts: Sequence[Verdict]) -> str:
    """What happens to a call, by the layer that decides on it."""
    words = [_CALLED[verdict.code] for verdict in verdicts if verdict.code in _CALLED]
    return words[-1] if words else f"is refused: {verdicts[-1].message}"


def _request(operation: Operation) -> dict[str, Any]:
    return {
        "request": f"{operation.method.upper()} {operation.path}",
        "pointer": operation.pointer,
        "hints": {name: {"value": hint.value, "source": hint.source} for name, hint in operation.hints.items()},
        "arguments": {name: {"where": place.where, "name": place.name} for name, place in operation.arguments.items()},
    }
