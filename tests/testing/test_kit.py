"""Approvers, recorded calls, a gateway in memory, and the names of the kit."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from contract import Things, words_of
from mcpbridge import testing
from mcpbridge.errors import InvalidArguments
from mcpbridge.source.answer import error_of
from mcpbridge.tools import Call
from mcpbridge.wrap.approve import Approve
from mcpbridge.wrap.validate import Validate

pytestmark = pytest.mark.req("TEST-02")


async def test_approve_all_says_yes_and_deny_all_says_no() -> None:
    yes = await Approve(Things(), approver=testing.approve_all).call(Call(name="write_it"))
    no = await Approve(Things(), approver=testing.deny_all).call(Call(name="write_it"))

    assert words_of(yes) == "things did write_it"
    assert (failure := error_of(no)) is not None
    assert failure.code == "approval_denied"


async def test_recorded_calls_are_those_that_arrived() -> None:
    recorded = testing.record_calls(Things())
    source = Validate(recorded)
    await source.call(Call(name="write_it", arguments={"n": 1}))
    with pytest.raises(InvalidArguments):
        await source.call(Call(name="write_it", arguments={"n": "x"}))

    assert [(made.call.name, made.call.arguments, made.error) for made in recorded.made] == [
        ("write_it", {"n": 1}, None)
    ]
    assert (recorded.names, [call.name for call in recorded.calls]) == (["write_it"], ["write_it"])


async def test_a_recorded_call_keeps_the_error_that_it_raised() -> None:
    recorded = testing.record_calls(Validate(Things()))
    with pytest.raises(InvalidArguments):
        await recorded.call(Call(name="write_it", arguments={"n": "x"}))

    assert isinstance(recorded.made[0].error, InvalidArguments)


@pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
async def test_a_gateway_is_open_with_a_client(era: str) -> None:
    async with testing.open_gateway({"one": Things()}, approver=testing.approve_all, era=era) as gateway:
        listed = await gateway.client.list_tools()
        result: Any = await gateway.client.call_tool("one__write_it", {"n": 1})

    assert [tool.name for tool in listed.tools] == ["one__read_it", "one__write_it"]
    assert result.content[0].text == "things did write_it"
    assert [made.call.name for made in gateway.made] == ["one__write_it"]


async def test_a_gateway_asks_as_in_production_without_an_approver() -> None:
    async with testing.open_gateway(Things()) as gateway:
        result = await gateway.client.call_tool("write_it", {})

    assert result.is_error
    assert "approval" in str(result.content)
    assert gateway.made == []


def test_the_names_of_the_kit_are_those_that_type_checkers_see() -> None:
    home: dict[str, str] = vars(testing)["_HOME"]
    tree = ast.parse(Path(str(testing.__file__)).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {
        alias.name: (node.module or "").removeprefix("mcpbridge.testing.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert seen == home
    assert [*home] == testing.__all__ == dir(testing) == sorted(home)
    assert all(getattr(testing, name) is not None for name in home)
    with pytest.raises(AttributeError, match="'helper'"):
        testing.__getattr__("helper")
