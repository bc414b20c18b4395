"""Whatever the scope and whoever calls: listing, calling and explaining agree, and what is hidden never runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import Things
from mcpbridge.errors import ToolNotFound
from mcpbridge.router import Router
from mcpbridge.tools import Call, Caller
from mcpbridge.wrap.visible import Restrict
from mcpbridge.wrap.visible_hours import Hours
from mcpbridge.wrap.visible_scope import Scope

WORDS = st.sampled_from(["a", "b", "*"])
WHO = st.none() | st.sampled_from(["a", "b"])
PATTERNS = st.lists(st.sampled_from(["read_it", "write_it", "*_it", "read_*", "*", "x"]), max_size=2).map(tuple)
MORNING = Hours(zone="UTC", start="00:00", end="12:00")

SCOPES = st.builds(
    Scope,
    tenant=WHO,
    owner=WHO,
    agents=st.frozensets(WORDS, min_size=1),
    teams=st.frozensets(st.sampled_from("ab")),
    environments=st.frozensets(st.sampled_from("ab")),
    skills=st.dictionaries(WORDS, PATTERNS, max_size=2),
    hours=st.sampled_from([(), (MORNING,)]),
    enabled=st.booleans(),
    allowed=PATTERNS,
    blocked=PATTERNS,
    off=st.frozensets(st.sampled_from(["read_it", "write_it"])),
)
CALLERS = st.builds(
    Caller,
    tenant=st.sampled_from(["", "a", "b"]),
    user=WHO,
    agent=WHO,
    skill=WHO,
    teams=st.frozensets(st.sampled_from("ab")),
    environment=WHO,
)


@pytest.mark.req("VIS-01", "VIS-03", "VIS-05")
@given(scope=SCOPES, caller=CALLERS, at=st.sampled_from([0.0, 50_000.0]))
async def test_all_ways_agree_on_what_is_hidden(scope: Scope, caller: Caller, at: float) -> None:
    things = Things()
    source = Router({"s": Restrict(things, scope, clock=lambda: at)})
    listed = {tool.name for tool in await source.list_tools(caller)}

    for name in ("s__read_it", "s__write_it"):
        verdict = (await source.explain(name, caller))[-1]
        before = len(things.calls)
        try:
            await source.call(Call(name=name, caller=caller))
            ran = True
        except ToolNotFound:
            ran = False
        assert verdict.allowed is ran is (name in listed)
        assert len(things.calls) - before == ran


@pytest.mark.req("VIS-02")
@given(scope=SCOPES, caller=CALLERS)
async def test_what_is_blocked_or_off_is_never_listed(scope: Scope, caller: Caller) -> None:
    listed = {tool.name for tool in await Restrict(Things(), scope, clock=lambda: 0.0).list_tools(caller)}

    assert not listed & scope.off
    assert not listed & {*scope.blocked}
    assert not listed or "*" not in scope.blocked
