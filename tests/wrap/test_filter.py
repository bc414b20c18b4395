"""A filter decides for listing, getting and calling alike, and keeps what it has no rule for to itself."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from contract import KINDS, Things, check_refused, check_source_contract
from mcpbridge.errors import ConfigError
from mcpbridge.tools import ANYONE, Caller
from mcpbridge.wrap.filter import Filter

ALICE, BOB = Caller(user="alice"), Caller(user="bob")


@pytest.mark.req("VIS-01", "ATK-52")
async def test_what_the_rule_refuses_cannot_be_listed_got_or_called() -> None:
    source = Filter(Things(), lambda tool, _: tool.access == "read")

    assert [tool.name for tool in await source.list_tools(ANYONE)] == ["read_it"]
    await check_refused(source, "tool", "write_it")
    await check_source_contract(source)


@pytest.mark.req("VIS-01")
async def test_a_rule_for_tools_shows_nothing_of_the_other_kinds() -> None:
    source = Filter(Things(), lambda _tool, _caller: True)

    await check_refused(source, "resource", "file:///notes.txt")
    await check_refused(source, "template", "file:///{name}.txt")
    await check_refused(source, "prompt", "greet")


async def test_other_kinds_have_a_rule_of_their_own() -> None:
    source = Filter(Things(), lambda _tool, _caller: False, keep_other=lambda item, _: item.key == "greet")

    assert [[item.key for item in await source.list(kind, ANYONE)] for kind in KINDS] == [[], [], [], ["greet"]]
    await check_source_contract(source)


async def test_each_caller_sees_its_own() -> None:
    source = Filter(Things(), lambda tool, caller: caller.user == "alice" or tool.access == "read")

    assert [len(await source.list_tools(caller)) for caller in (ALICE, BOB)] == [2, 1]
    await check_refused(source, "tool", "write_it", BOB)


@pytest.mark.parametrize("answer", [None, 1, "yes", object()])
@pytest.mark.req("VIS-06", "ATK-53")
async def test_a_rule_that_gives_nonsense_hides(answer: Any) -> None:
    await check_refused(Filter(Things(), lambda _tool, _caller: answer), "tool", "read_it")


@pytest.mark.req("VIS-06", "ATK-53")
async def test_a_rule_that_raises_hides(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    await check_refused(Filter(Things(), lambda _tool, _caller: 1 / 0 > 0), "tool", "read_it")


def test_a_coroutine_function_is_no_rule() -> None:
    async def keep(_tool: object, _caller: object) -> bool:
        return True

    with pytest.raises(ConfigError, match="coroutine function"):
        Filter(Things(), keep)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # the fault that is tested


async def test_explain_tells_why() -> None:
    source = Filter(Things(), lambda tool, _: tool.access == "read")

    verdicts = await source.explain("write_it", ANYONE)

    assert [(verdict.layer, verdict.allowed, verdict.code) for verdict in verdicts] == [
        ("Things", True, "found"),
        ("Filter", False, "filtered"),
    ]
