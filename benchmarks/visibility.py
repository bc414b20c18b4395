"""What it costs to decide who sees what: `python -m benchmarks.visibility`. Figures are medians, in microseconds.

2,000 tools in forty sources: each source has a scope with every kind of rule, stands in a `Router`, and the whole
behind `Filter`, `Validate` and `Approve`.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

from mcpbridge.build import guarded
from mcpbridge.discover.discover import Discover
from mcpbridge.errors import ToolNotFound
from mcpbridge.policy import read_only, reads_run_writes_ask, rule, strictest
from mcpbridge.router import Router
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import Call, Caller, Item, Kind, Tool
from mcpbridge.wrap.approve import Approve
from mcpbridge.wrap.visible import Restrict
from mcpbridge.wrap.visible_hours import Hours
from mcpbridge.wrap.visible_scope import Scope

SOURCES, EACH = 40, 50
CALLER = Caller(
    tenant="acme",
    user="alice",
    agent="bot",
    skill="triage",
    teams=frozenset({"platform", "ops"}),
    environment="production",
)
SCOPE = Scope(
    tenant="acme",
    agents=frozenset({"bot", "other"}),
    teams=frozenset({"platform"}),
    environments=frozenset({"staging", "production"}),
    skills={"triage": ("item_*",)},
    hours=(
        Hours(zone="Europe/Berlin"),
        Hours(zone="America/New_York", days=("mon", "tue"), start="22:00", end="06:00"),
    ),
    allowed=("item_*", "other_*"),
    blocked=("*_secret",),
    off=frozenset({"item_7"}),
)


class Shelf(ToolSource):
    """Some tools that never change; `anew` makes another listing of them each time."""

    def __init__(self, many: int, *, anew: bool = False) -> None:
        self._anew = anew
        self._tools = {f"item_{at}": Tool(name=f"item_{at}", description="Gives an item.") for at in range(many)}
        self._all = tuple(self._tools.values())

    async def list(self, kind: Kind, caller: Caller) -> tuple[Item, ...]:
        listed = (*self._all, self._all[0])[:-1] if self._anew else self._all
        return listed if kind == "tool" else ()

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        if kind != "tool" or key not in self._tools:
            raise ToolNotFound(key, kind)
        return self._tools[key]

    async def call(self, call: Call) -> Answer:
        return _DONE

    def version(self, caller: Caller) -> str:
        return "1"


async def median(work: Callable[[], Awaitable[object]], times: int) -> float:
    """Microseconds of one run."""
    await work()
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1e6


def gateway() -> ToolSource:
    """Everything that decides on a listing, in its order."""
    sources = {f"s{at}": Restrict(Shelf(EACH), SCOPE) for at in range(SOURCES)}
    return guarded(Router(sources), keep=lambda tool, caller: tool.access == "write" or caller.user is not None)


async def main() -> None:
    """Prints the figures."""
    source, shelf = gateway(), Restrict(Shelf(SOURCES * EACH), SCOPE)
    anew = Restrict(Shelf(SOURCES * EACH, anew=True), SCOPE)
    discover = Discover(source)
    call = Call(name="item_1", caller=CALLER)
    tool = Tool(name="item_1", access="read")
    allowed = Approve(Shelf(EACH), lambda _call, _tool: read_only(_call, tool))
    found = Call(name="discover_tools", arguments={"query": "give an item"}, caller=CALLER)
    bare = Shelf(EACH)
    policies = strictest(reads_run_writes_ask, read_only)
    figures = {
        "a listing of 2,000 tools through all layers": await median(lambda: source.list_tools(CALLER), 50),
        "the scope alone, over another listing of 2,000 tools each time": await median(
            lambda: anew.list_tools(CALLER), 50
        ),
        "the scope alone, over the same 2,000 tools": await median(lambda: shelf.list_tools(CALLER), 50),
        "the rules of a scope for one call": await median(lambda: shelf.get_tool("item_1", CALLER), 2000),
        "discover_tools over 2,000 tools": await median(lambda: discover.call(found), 50),
        "a policy's ruling": await median(lambda: rule(reads_run_writes_ask, call, tool), 2000),
        "the ruling of two policies": await median(lambda: rule(policies, call, tool), 2000),
        "an allowed call through Approve, beyond the call": await median(lambda: allowed.call(call), 2000)
        - await median(lambda: bare.call(call), 2000),
    }
    for what, microseconds in figures.items():
        print(f"{microseconds:10.1f} µs  {what}")


if __name__ == "__main__":
    import mcp_types

    _DONE = mcp_types.CallToolResult(content=[])
    asyncio.run(main())
