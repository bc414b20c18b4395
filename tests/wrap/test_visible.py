"""A scope decides for listing, getting and calling alike, by who calls, by name and by the hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from mcp import Client

from contract import ITEMS, KINDS, Things, check_refused, check_source_contract
from mcpbridge.errors import SourceDisabled, ToolNotFound
from mcpbridge.router import Router
from mcpbridge.server.lowlevel import to_server
from mcpbridge.source.answer import error_of
from mcpbridge.source.base import Hidden
from mcpbridge.tools import ANYONE, Call, Caller, Item, Kind, Status
from mcpbridge.wrap.validate import Validate
from mcpbridge.wrap.visible import Restrict
from mcpbridge.wrap.visible_hours import Hours
from mcpbridge.wrap.visible_scope import Scope

MORNING = Hours(zone="UTC", start="08:00", end="12:00")
EIGHT, TWELVE = 28_800.0, 43_200.0


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Touched(Things):
    """Counts how often it is asked for anything."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        self.asked += 1
        return await super().list(kind, caller)


async def _names(source: Restrict, caller: Caller = ANYONE) -> list[str]:
    return [tool.name for tool in await source.list_tools(caller)]


@pytest.mark.req("VIS-01", "VIS-03")
async def test_everything_is_there_where_no_rule_is_given() -> None:
    source = Restrict(Things(), Scope())

    assert [len(await source.list(kind, ANYONE)) for kind in KINDS] == [2, 1, 1, 1]
    await check_source_contract(source)


@pytest.mark.req("VIS-01", "VIS-03", "ATK-52")
@pytest.mark.parametrize("kind", KINDS)
async def test_who_is_not_let_in_finds_nothing_of_any_kind(kind: Kind) -> None:
    key = ITEMS[kind][0].key
    source = Restrict(Things(), Scope(tenant="acme", teams=frozenset({"ops"})))

    await check_refused(source, kind, key, Caller(tenant="acme"))
    await check_refused(source, kind, key, Caller(tenant="other", teams=frozenset({"ops"})))


@pytest.mark.req("VIS-02")
async def test_what_is_allowed_and_blocked_is_blocked() -> None:
    source = Restrict(Things(), Scope(allowed=("*_it",), blocked=("write_*",)))

    assert await _names(source) == ["read_it"]
    await check_refused(source, "tool", "write_it")
    await check_source_contract(source)


@pytest.mark.req("VIS-02")
async def test_the_switch_of_a_tool_counts_more_than_the_list_of_what_is_allowed() -> None:
    source = Restrict(Things(), Scope(allowed=("read_it", "write_it"), off=frozenset({"read_it"})))

    assert await _names(source) == ["write_it"]


@pytest.mark.req("VIS-02")
async def test_a_list_of_what_is_allowed_hides_what_it_does_not_name_of_every_kind() -> None:
    source = Restrict(Things(), Scope(allowed=("read_it", "file:///*")))

    assert [len(await source.list(kind, ANYONE)) for kind in KINDS] == [1, 1, 1, 0]
    await check_refused(source, "prompt", "greet")


@pytest.mark.req("VIS-03")
async def test_a_skill_uses_what_its_patterns_name() -> None:
    source = Restrict(Things(), Scope(skills={"look": ("read_*",)}))

    assert await _names(source, Caller(skill="look")) == ["read_it"]
    assert await _names(source, Caller(skill="other")) == []
    assert await _names(source, ANYONE) == ["read_it", "write_it"]
    await check_refused(source, "tool", "write_it", Caller(skill="look"))


@pytest.mark.req("VIS-03")
async def test_a_star_stands_for_every_skill_that_is_not_named() -> None:
    source = Restrict(Things(), Scope(skills={"look": ("read_*",), "*": ("*",)}))

    assert await _names(source, Caller(skill="look")) == ["read_it"]
    assert await _names(source, Caller(skill="other")) == ["read_it", "write_it"]


@pytest.mark.req("VIS-03")
async def test_hours_are_kept_at_list_and_at_call() -> None:
    clock = Clock(EIGHT)
    source = Restrict(Things(), Scope(hours=(MORNING,)), clock=clock)

    assert await source.call(Call(name="read_it"))
    assert source.holds_until(ANYONE) == TWELVE
    before = source.version(ANYONE)
    clock.now = TWELVE
    await check_refused(source, "tool", "read_it")
    assert source.version(ANYONE) != before
    assert source.holds_until(ANYONE) == EIGHT + 86_400


async def test_a_clock_that_goes_back_is_believed() -> None:
    clock = Clock(TWELVE)
    source = Restrict(Things(), Scope(hours=(MORNING,)), clock=clock)
    assert await _names(source) == []

    clock.now = EIGHT

    assert await _names(source) == ["read_it", "write_it"]


@pytest.mark.req("VIS-01")
async def test_a_caller_who_sees_nothing_does_not_make_the_source_work() -> None:
    inner = Touched()
    source = Restrict(inner, Scope(owner="alice"))

    assert await _names(source, Caller(user="bob")) == []
    with pytest.raises(ToolNotFound):
        await source.get_tool("read_it", Caller(user="bob"))
    assert inner.asked == 0


@pytest.mark.req("VIS-01")
async def test_the_hook_alone_decides_too() -> None:
    source = Restrict(Things(), Scope(owner="alice"))

    shown = [source.show(ITEMS["tool"][0], Caller(user=user)) for user in ("alice", "bob")]

    assert shown[0] is ITEMS["tool"][0]
    assert isinstance(shown[1], Hidden)
    assert shown[1].code == "private"


@pytest.mark.req("VIS-01")
async def test_an_owner_without_a_name_is_nobody() -> None:
    assert await _names(Restrict(Things(), Scope(owner="")), Caller(user="")) == []


@pytest.mark.req("VIS-01", "VIS-04")
async def test_the_status_of_a_source_is_told_to_those_who_see_it() -> None:
    source = Router({"a": Restrict(Things(), Scope(owner="alice", enabled=False, reason="is moved"))})

    assert await source.status(Caller(user="bob")) == Status()
    told = await source.status(Caller(user="alice"))
    assert (told.state, told.message) == ("disabled", "a: is moved")


@pytest.mark.req("VIS-04")
async def test_a_disabled_source_leaves_the_listing() -> None:
    source = Restrict(Things(), Scope(enabled=False))

    assert [await source.list(kind, ANYONE) for kind in KINDS] == [()] * 4
    assert [verdict.code for verdict in await source.explain("read_it", ANYONE)] == ["disabled"]
    assert source.holds_until(ANYONE) is None


@pytest.mark.req("VIS-05")
async def test_explain_names_the_rule_by_its_code() -> None:
    source = Restrict(Things(), Scope(owner="alice", blocked=("write_it",)))

    stranger, owner = [await source.explain("write_it", Caller(user=user)) for user in ("bob", "alice")]

    assert [(one.layer, one.allowed, one.code) for one in stranger] == [("Restrict", False, "private")]
    assert [(one.layer, one.allowed, one.code) for one in owner] == [
        ("Things", True, "found"),
        ("Restrict", False, "blocked"),
    ]


@pytest.mark.req("VIS-04")
async def test_a_call_of_a_disabled_source_says_so_to_those_who_may_know() -> None:
    disabled = Restrict(Things(), Scope(owner="alice", enabled=False, reason="moved", blocked=("write_it",)))
    source = Validate(Router({"a": disabled}))

    with pytest.raises(SourceDisabled, match=r"^tool 'a__read_it' .* \(moved\)"):
        await source.call(Call(name="a__read_it", caller=Caller(user="alice")))
    await check_refused(source, "tool", "a__read_it", Caller(user="bob"))
    await check_refused(source, "tool", "a__write_it", Caller(user="alice"))


@pytest.mark.req("VIS-04")
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_client_reads_that_a_tool_is_disabled(mode: Any) -> None:
    server = to_server(Router({"a": Restrict(Things(), Scope(enabled=False, reason="moved"))}), name="t")

    async with Client(server, mode=mode) as client:
        answer = await client.call_tool("a__read_it", {})

    failure = error_of(answer)
    assert failure is not None
    assert (failure.code, failure.sent, "moved" in failure.message) == ("disabled", "no", True)


@pytest.mark.req("VIS-01")
async def test_a_listing_is_kept_for_a_skill_and_not_for_the_next_one() -> None:
    things = Things()
    source = Restrict(things, Scope(skills={"look": ("read_*",), "do": ("*",)}))
    assert [len(await _names(source, Caller(skill=skill))) for skill in ("do", "look", "do")] == [2, 1, 2]

    things.change("tool", ITEMS["tool"][:1])

    assert [await _names(source, Caller(skill=skill)) for skill in ("do", "look")] == [["read_it"], ["read_it"]]


async def test_a_list_that_its_source_changes_in_place_is_read_again() -> None:
    growing = [*ITEMS["tool"][:1]]
    source = Restrict(Things({"tool": growing}), Scope(blocked=("none",)))
    assert await _names(source) == ["read_it"]

    growing.append(ITEMS["tool"][1])

    assert await _names(source) == ["read_it", "write_it"]
