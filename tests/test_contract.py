"""The contract of a source, over every source and wrapper, alone and in stacks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contract import KINDS, Things, calls_for, check_refused, check_source_contract
from mcpbridge.build import guarded
from mcpbridge.policy import Allow, Ruling
from mcpbridge.router import Router
from mcpbridge.source.base import ToolSource, Wrapper
from mcpbridge.tools import ANYONE, Call, Caller, Item, Kind, Tool
from mcpbridge.upstream.functions import Functions
from mcpbridge.wrap.approve import Approve
from mcpbridge.wrap.filter import Filter
from mcpbridge.wrap.prefix import Prefix
from mcpbridge.wrap.validate import Validate

LONG = "x" * 100


def everyone(_item: Item, _caller: Caller) -> bool:
    return True


def allow(_call: Call, _tool: Tool) -> Ruling:
    return Allow()


def noop(value: int = 0) -> int:
    """Gives its value."""
    return value


MAKERS: dict[str, Callable[[ToolSource], ToolSource]] = {
    "bare": lambda source: source,
    "Wrapper": Wrapper,
    "Prefix": lambda source: Prefix(source, "outer"),
    "Prefix twice": lambda source: Prefix(Prefix(source, "inner"), "outer"),
    "Filter": lambda source: Filter(source, everyone, keep_other=everyone),
    "Validate": Validate,
    "Approve": lambda source: Approve(source, policy=allow),
    "Router": lambda source: Router({"one": source, "two": Functions(noop)}),
    "Router in Router": lambda source: Router({"outer": Router({"inner": source})}),
    "guarded Router": lambda source: guarded(Router({"one": source}), keep=everyone, keep_other=everyone, policy=allow),
    "Router of guarded": lambda source: Router({"one": guarded(source, policy=allow)}),
}


@pytest.fixture(params=[*MAKERS])
def make(request: pytest.FixtureRequest) -> Callable[[ToolSource], ToolSource]:
    return MAKERS[request.param]


@pytest.mark.req("GW-01", "GW-14")
async def test_the_contract_is_kept(make: Callable[[ToolSource], ToolSource]) -> None:
    things = Things()
    things.items["tool"] = [*things.items["tool"], Tool(name=LONG), Tool(name="dotted.name")]
    async with make(things) as source:
        await check_source_contract(source)


@pytest.mark.req("GW-14")
@pytest.mark.parametrize("kind", KINDS)
async def test_every_listed_item_of_every_kind_is_called(make: Callable[[ToolSource], ToolSource], kind: Kind) -> None:
    things = Things()
    async with make(things) as source:
        [*keys] = [item.key for item in await source.list(kind, ANYONE) if "noop" not in item.key]
        for key in keys:
            for call in calls_for(kind, key):
                await source.call(call)

    assert {call.target() for call in things.calls} == {(kind, item.key) for item in things.items[kind]}


@pytest.mark.req("VIS-01")
@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_hidden_at_the_bottom_is_hidden_at_the_top(
    make: Callable[[ToolSource], ToolSource], kind: Kind
) -> None:
    things = Things()
    async with make(things) as source:
        known = [item.key for item in await source.list(kind, ANYONE) if "noop" not in item.key]
    hidden = Filter(Things(), lambda _tool, _caller: False)
    async with make(hidden) as source:
        for key in known:
            await check_refused(source, kind, key)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_version_changes_with_the_listing_and_those_who_watch_are_told(
    make: Callable[[ToolSource], ToolSource], kind: Kind
) -> None:
    things, heard = Things(), list[Kind]()
    source = make(things)
    end, before = source.watch(heard.append), source.version(ANYONE)
    things.change(kind, ())
    after = source.version(ANYONE)
    end()
    things.change(kind, ())

    assert (before != after, heard) == (True, [kind])
