"""A model finds, reads and calls tools behind the gate that checks every call."""

from __future__ import annotations

from typing import Any, cast

import mcp_types
import pytest

from contract import Things, check_refused, check_source_contract, words_of
from mcpbridge.build import guarded
from mcpbridge.discover.discover import Discover
from mcpbridge.discover.offered import OFFERED
from mcpbridge.errors import InvalidArguments, ToolNotFound
from mcpbridge.policy import Allow
from mcpbridge.router import Router
from mcpbridge.server.news import listed
from mcpbridge.source.answer import error_of
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import ANYONE, Call, Caller, Kind, Status, Tool
from mcpbridge.wrap.filter import Filter

ALICE, BOB = Caller(user="alice"), Caller(user="bob")


def for_alice(tool: Tool, caller: Caller) -> bool:
    return tool.access == "read" or caller.user == "alice"


def gateway(things: ToolSource, **given: Any) -> Discover:
    return Discover(guarded(Router({"a": things}), keep=for_alice, policy=lambda _call, _tool: Allow()), **given)


async def ask(source: ToolSource, tool: str, caller: Caller = ANYONE, **arguments: Any) -> Answer:
    return await source.call(Call(name=tool, arguments=arguments, caller=caller))


async def found(source: ToolSource, query: str, caller: Caller = ANYONE) -> dict[str, Any]:
    answer = await ask(source, "discover_tools", caller, query=query)
    assert isinstance(answer, mcp_types.CallToolResult)
    assert answer.structured_content is not None
    return cast("dict[str, Any]", answer.structured_content)


def names(told: dict[str, Any]) -> list[str]:
    return [tool["name"] for tool in told["tools"]]


class Ill(ToolSource):
    """Has nothing, and says that it is not well."""

    async def list(self, kind: Kind, caller: Caller) -> Any:
        raise ConnectionError

    async def status(self, caller: Caller | None = None) -> Status:
        return Status(state="failed", code="unreachable", message="does not answer")


@pytest.mark.req("CTX-01")
@pytest.mark.parametrize(
    ("pinned", "shown"), [((), []), (("a__read*",), ["a__read_it"]), (("*",), ["a__read_it", "a__write_it"])]
)
async def test_a_listing_holds_the_three_tools_and_those_that_are_pinned(
    pinned: tuple[str, ...], shown: list[str]
) -> None:
    source = gateway(Things(), pinned=pinned)

    assert [tool.key for tool in listed(await source.list_tools(ALICE))] == [*OFFERED, *shown]
    assert words_of(await ask(source, "a__write_it", ALICE)) == "things did write_it"
    await check_source_contract(source)


@pytest.mark.req("CTX-01")
async def test_a_search_tells_what_each_tool_does_how_many_there_are_and_who_is_not_well() -> None:
    source = Discover(Router({"a": Things(), "ill": Ill()}))

    told = await found(source, "write something")

    assert told["tools"][0] == {"name": "a__write_it", "description": "Writes it.", "access": "write"}
    assert (told["total"], told["sources"]) == (2, {"a": 2})
    assert told["unavailable"] == "ill: does not answer"


@pytest.mark.req("CTX-01", "VIS-01", "ATK-52")
async def test_a_search_finds_only_what_the_caller_may_see() -> None:
    source = gateway(Things())

    alice, bob = await found(source, "write it", ALICE), await found(source, "write it", BOB)

    assert ("a__write_it" in names(alice), alice["total"]) == (True, 2)
    assert ("a__write_it" in names(bob), bob["total"]) == (False, 1)


@pytest.mark.req("CTX-01", "VIS-01", "ATK-59")
@pytest.mark.parametrize("tool", ["describe_tool", "call_tool"])
async def test_what_is_hidden_is_as_unknown_as_what_is_not_there(tool: str) -> None:
    things = Things()
    source = gateway(things)

    hidden, unknown = [error_of(await ask(source, tool, BOB, name=name)) for name in ("a__write_it", "a__other_it")]

    assert hidden is not None
    assert unknown is not None
    assert hidden.message == unknown.message.replace("a__other_it", "a__write_it")
    assert (hidden.code, unknown.code, things.calls) == ("not_found", "not_found", [])
    await check_refused(source, "tool", "a__write_it", BOB)


@pytest.mark.req("CTX-01")
async def test_a_description_is_the_whole_definition() -> None:
    answer = await ask(gateway(Things()), "describe_tool", ALICE, name="a__write_it")

    assert isinstance(answer, mcp_types.CallToolResult)
    assert answer.structured_content is not None
    assert answer.structured_content["inputSchema"]["properties"]["mode"] == {"enum": ["fast", "slow"]}
    assert answer.structured_content["access"] == "write"


@pytest.mark.req("CTX-01")
async def test_a_call_by_name_is_the_same_call_for_the_gate() -> None:
    things = Things()
    source = gateway(things)

    done = await ask(source, "call_tool", ALICE, name="a__write_it", arguments={"text": "t"})
    wrong = error_of(await ask(source, "call_tool", ALICE, name="a__write_it", arguments={"mode": "no"}))

    assert words_of(done) == "things did write_it"
    assert [(call.name, call.arguments, call.caller) for call in things.calls] == [("write_it", {"text": "t"}, ALICE)]
    assert wrong is not None
    assert wrong.code == "invalid_arguments"


@pytest.mark.req("CTX-01", "ATK-59")
async def test_a_call_by_name_asks_for_approval_and_goes_on_after_it() -> None:
    source = Discover(guarded(Things()))

    asked = error_of(await ask(source, "call_tool", ALICE, name="write_it"))

    assert asked is not None
    assert (asked.code, asked.details["tool"]) == ("approval_required", "write_it")


@pytest.mark.req("ATK-59")
@pytest.mark.parametrize("name", OFFERED)
async def test_the_three_do_not_call_each_other(name: str) -> None:
    answer = error_of(await ask(gateway(Things()), "call_tool", name=name, arguments={"query": "x"}))

    assert answer is not None
    assert answer.code == "not_found"


@pytest.mark.parametrize(
    ("tool", "arguments", "path"),
    [
        ("discover_tools", {}, "/query"),
        ("discover_tools", {"query": 1}, "/query"),
        ("discover_tools", {"query": "x", "limit": True}, "/limit"),
        ("discover_tools", {"query": "x", "limit": 51}, "/limit"),
        ("describe_tool", {"name": None}, "/name"),
        ("call_tool", {"name": "x", "arguments": []}, "/arguments"),
        ("call_tool", {"name": "x", "input": {}}, "/input"),
    ],
)
async def test_wrong_arguments_are_told(tool: str, arguments: dict[str, Any], path: str) -> None:
    failure = error_of(await ask(gateway(Things()), tool, **arguments))

    assert failure is not None
    assert (failure.code, failure.details["problems"][0]["path"]) == (InvalidArguments.code, path)


async def test_a_tool_of_the_same_name_is_hidden_by_the_gateways_own() -> None:
    things = Things({"tool": (Tool(name="call_tool"), Tool(name="other"))})
    source = Discover(things, ["*"])

    assert [tool.name for tool in await source.list_tools(ANYONE)].count("call_tool") == 1
    assert error_of(await ask(source, "call_tool", name="call_tool")) is not None
    assert things.calls == []
    assert (await found(source, "call tool"))["total"] == 1


async def test_a_changed_listing_is_searched_anew() -> None:
    things = Things()
    source = Discover(things)
    assert names(await found(source, "paint")) == []

    things.change("tool", (Tool(name="paint_it"),))

    assert names(await found(source, "paint")) == ["paint_it"]


async def test_a_source_that_does_not_tell_of_changes_is_looked_at_again() -> None:
    now = 0.0
    things = Things()
    source = Discover(things, clock=lambda: now)
    assert names(await found(source, "paint")) == []

    things.items["tool"] = (Tool(name="paint_it"),)
    now = 61.0

    assert names(await found(source, "paint")) == ["paint_it"]


@pytest.mark.req("VIS-01")
async def test_an_index_that_is_out_of_date_shows_nothing_that_is_hidden_now() -> None:
    open_to = {"alice"}
    source = Discover(Filter(Things(), lambda _tool, caller: caller.user in open_to))
    assert names(await found(source, "write it", ALICE))

    open_to.clear()

    assert names(await found(source, "write it", ALICE)) == []


async def test_explain_knows_the_three_and_asks_within_for_others() -> None:
    source = gateway(Things())

    assert [one.layer for one in await source.explain("call_tool", BOB)] == ["Discover"]
    assert (await source.explain("a__write_it", BOB))[-1].code == "filtered"
    with pytest.raises(ToolNotFound):
        await source.get_tool("a__write_it", BOB)
