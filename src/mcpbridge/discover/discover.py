"""`Discover`: a source whose tools a model finds by asking, instead of reading all of them."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import mcp_types

from mcpbridge.discover.indexes import Indexes
from mcpbridge.discover.offered import DESCRIBE, DISCOVER, OFFERED, read_call, read_name, read_search
from mcpbridge.errors import InvalidArguments, ToolNotFound
from mcpbridge.source.answer import failed, failure_of
from mcpbridge.source.base import Answer, Hidden, ToolSource, Verdict, Wrapper
from mcpbridge.tools import Call, Caller, Item, Json, Kind, Status, Tool
from mcpbridge.wrap.visible_names import Names

STATUS_SECONDS = 2.0
"""How long a search waits to hear which sources are not well."""


class Discover(Wrapper):
    """The source with `discover_tools`, `describe_tool` and `call_tool`; it lists, beside these, only pinned tools.

    `pinned` holds patterns of names that stay listed: none is search only, `["*"]` lists all. What is not listed can be
    called as ever, by its own name or by `call_tool`, which makes the same call of the source within: put this around
    the whole of a gateway, so that everything that checks a call stands below.

    A tool of the source's own that has the name of one of the three is hidden. `clock` gives seconds of the Unix epoch.
    """

    remembered: ClassVar[int] = 50_000
    """How many tools are kept as they are shown before they are made afresh."""

    def __init__(
        self, inner: ToolSource, pinned: Iterable[str] = (), *, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(inner)
        self._pinned = Names(pinned)
        self._indexes = Indexes(inner, clock=clock)
        self._unlisted: dict[str, tuple[Tool, Tool]] = {}

    def show(self, item: Item, caller: Caller) -> Item | Hidden:
        if not isinstance(item, Tool):
            return item
        if item.name in OFFERED:
            return Hidden(code="shadowed", message=f"{item.name!r} is the gateway's own tool here")
        if not item.listed or item.name in self._pinned:
            return item
        known = self._unlisted.get(item.name)
        if known is not None and known[0] is item:
            return known[1]
        if len(self._unlisted) >= self.remembered:
            self._unlisted.clear()
        shown = replace(item, listed=False)
        self._unlisted[item.name] = (item, shown)
        return shown

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        items = await super().list(kind, caller)
        return items if kind != "tool" else [*OFFERED.values(), *items]

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        return OFFERED[key] if kind == "tool" and key in OFFERED else await super().get(kind, key, caller)

    async def call(self, call: Call) -> Answer:
        if call.kind != "tool" or call.name not in OFFERED:
            return await super().call(call)
        try:
            match call.name:
                case DISCOVER.name:
                    return await self._discover(call)
                case DESCRIBE.name:
                    return await self._describe(call)
                case _:
                    name, arguments = read_call(call.arguments)
                    return await super().call(replace(call, name=_not_ours(name), arguments=arguments))
        except (InvalidArguments, ToolNotFound) as error:  # of the tool that is meant, which the client did not call
            return failed(failure_of(error, id=call.id))

    async def explain(
        self, key: str, caller: Caller, arguments: Mapping[str, Json] | None = None, *, kind: Kind = "tool"
    ) -> Sequence[Verdict]:
        if kind != "tool" or key not in OFFERED:
            return await super().explain(key, caller, arguments, kind=kind)
        return [Verdict(layer=type(self).__name__, allowed=True, code="found", message=f"offers tool {key!r}")]

    async def _discover(self, call: Call) -> Answer:
        question, limit = read_search(call.arguments)
        index = await self._indexes.of(call.caller)
        fitting = index.search(question, limit=2 * limit)
        current = [await self._current(hit.tool.name, call.caller) for hit in fitting]
        found = [tool for tool in current if tool is not None][:limit]
        offered = [tool for tool in index.tools if tool.name not in OFFERED]
        by_source = Counter(tool.origin.slug for tool in offered if tool.origin.slug)
        told: dict[str, Json] = {
            "tools": [_summary(tool) for tool in found],
            "total": len(offered),
            "sources": dict(sorted(by_source.items())),
            **_unwell(await self._status(call.caller)),
        }
        return _answer(_lines(told), told)

    async def _describe(self, call: Call) -> Answer:
        name = _not_ours(read_name(call.arguments))
        tool = await self.get("tool", name, call.caller)
        told = {**tool.to_wire(), "access": tool.access} if isinstance(tool, Tool) else {}
        return _answer(json.dumps(told, ensure_ascii=False, separators=(",", ":"), default=dict), told)

    async def _current(self, name: str, caller: Caller) -> Tool | None:
        """The tool as it is now for this caller, whatever the index knows."""
        try:
            tool = await self.get("tool", name, caller)
        except ToolNotFound:
            return None
        return tool if isinstance(tool, Tool) and name not in OFFERED else None

    async def _status(self, caller: Caller) -> Status:
        try:
            async with asyncio.timeout(STATUS_SECONDS):
                return await self.inner.status(caller)
        except TimeoutError:
            return Status(state="connecting", code="timeout", message="some source does not tell how it is")


def _not_ours(name: str) -> str:
    """The name of a tool of the source. Raises: ToolNotFound for one of the three, which are called directly."""
    if name in OFFERED:
        raise ToolNotFound(name)
    return name


def _summary(tool: Tool) -> dict[str, Json]:
    return {"name": tool.name, "description": tool.description, "access": tool.access}


def _unwell(status: Status) -> dict[str, Json]:
    return {} if status.state in {"connected", "pending"} else {"unavailable": status.message or status.state}


def _lines(told: Mapping[str, Json]) -> str:
    lines = [f"{tool['name']} ({tool['access']}): {tool['description']}" for tool in told["tools"]]
    lines.append(f"{len(lines)} of {told['total']} tools." if lines else f"None of {told['total']} tools fits.")
    if "unavailable" in told:
        lines.append(f"Not all can be had now: {told['unavailable']}")
    return "\n".join(lines)


def _answer(text: str, told: Mapping[str, Json]) -> mcp_types.CallToolResult:
    return mcp_types.CallToolResult(
        content=[mcp_types.TextContent(text=text)], structured_content=json.loads(json.dumps(told, default=dict))
    )
