"""A policy that does not clearly allow or ask, refuses."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from mcpbridge.policy import Allow, Ask, Deny, Ruling, ask_always, read_only, reads_run_writes_ask, rule
from mcpbridge.tools import Call, Tool

READ, WRITE = Tool(name="r", access="read"), Tool(name="w", access="write")
CALL = Call(name="x")


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


@pytest.mark.req("APR-01")
@pytest.mark.parametrize(
    ("policy", "read", "write"),
    [(reads_run_writes_ask, Allow, Ask), (ask_always, Ask, Ask), (read_only, Allow, Deny)],
)
def test_the_presets(policy: Any, read: type, write: type) -> None:
    assert (type(policy(CALL, READ)), type(policy(CALL, WRITE))) == (read, write)


@pytest.mark.req("APR-01")
def test_a_tool_writes_unless_it_is_said_to_read() -> None:
    assert isinstance(reads_run_writes_ask(CALL, Tool(name="new")), Ask)
    assert isinstance(reads_run_writes_ask(CALL, Tool(name="new", extra={"annotations": {"readOnlyHint": True}})), Ask)


async def test_a_policy_may_be_asynchronous() -> None:
    async def policy(_call: Call, tool: Tool) -> Ruling:
        await asyncio.sleep(0)
        return Allow() if tool is READ else Deny(reason="no")

    assert await rule(policy, CALL, READ) == Allow()
    assert await rule(policy, CALL, WRITE) == Deny(reason="no")


@pytest.mark.req("ATK-53", "VIS-06")
async def test_a_policy_that_takes_too_long_refuses() -> None:
    async def policy(_call: Call, _tool: Tool) -> Ruling:
        await asyncio.Event().wait()
        return Allow()

    assert isinstance(await rule(policy, CALL, READ, seconds=0.01), Deny)


@pytest.mark.req("ATK-53", "VIS-06")
@pytest.mark.parametrize("given", [None, True, "allow", Allow, {}, 1])
async def test_a_policy_that_gives_nonsense_refuses(given: Any) -> None:
    async def later(_call: Call, _tool: Tool) -> Any:
        return given

    def now(_call: Call, _tool: Tool) -> Any:
        return given

    assert isinstance(await rule(later, CALL, READ), Deny)
    assert isinstance(await rule(now, CALL, READ), Deny)


@pytest.mark.req("ATK-53", "VIS-06")
async def test_a_policy_that_raises_refuses_and_tells_nothing() -> None:
    def policy(_call: Call, _tool: Tool) -> Ruling:
        raise RuntimeError("hunter2")

    async def later(_call: Call, _tool: Tool) -> Ruling:
        raise RuntimeError("hunter2")

    for each in (policy, later):
        ruling = await rule(each, CALL, READ)
        assert isinstance(ruling, Deny)
        assert "hunter2" not in ruling.reason


async def test_a_call_that_is_cancelled_is_no_decision() -> None:
    async def policy(_call: Call, _tool: Tool) -> Ruling:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await rule(policy, CALL, READ)
