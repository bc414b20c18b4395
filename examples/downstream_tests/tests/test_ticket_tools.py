"""What our agents may rely on. `pytest --mcpbridge-update` writes the snapshot anew after a change that is meant."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from ticket_tools import DESCRIPTION, ticket_tools

from mcpbridge import ANYONE, Call, ToolSource, error_of, lint
from mcpbridge.testing import (
    FakeUpstream,
    Fault,
    approve_all,
    assert_tools,
    check_refused,
    check_source,
    check_tool,
    open_gateway,
)


@pytest.fixture
def api() -> FakeUpstream:
    return FakeUpstream.from_openapi(DESCRIPTION)


@pytest.fixture
async def tickets(api: FakeUpstream) -> AsyncGenerator[ToolSource]:
    async with ticket_tools(transport=api.transport) as source:
        yield source


async def test_the_tools_are_those_that_we_agreed_on(tickets: ToolSource) -> None:
    await assert_tools(tickets, "tools.json")


async def test_schemas_take_and_refuse_what_they_should(tickets: ToolSource) -> None:
    close = await tickets.get_tool("close_ticket", ANYONE)

    check_tool(close, accepts=[{"id": 1, "reason": "done"}], refuses=[{"id": 1}, {"id": 0, "reason": "done"}])


async def test_no_tool_has_an_error_of_lint(tickets: ToolSource) -> None:
    found = lint(await tickets.list_tools(ANYONE))

    assert [finding for finding in found if finding.severity == "error"] == []


async def test_our_wrapper_keeps_the_contract(tickets: ToolSource) -> None:
    await check_source(tickets, calls={"list_tickets": {"limit": 1}})


async def test_what_is_internal_can_not_be_called(tickets: ToolSource) -> None:
    await check_refused(tickets, "tool", "purge")


async def test_a_ticket_is_closed_once(tickets: ToolSource, api: FakeUpstream) -> None:
    close = Call(name="close_ticket", arguments={"id": 7, "reason": "done"})
    first, second = await tickets.call_tool(close), await tickets.call_tool(close)

    assert error_of(first) is None
    assert (failure := error_of(second)) is not None
    assert failure.code == "closed_already"
    assert api.names == ["close_ticket"]


async def test_an_upstream_that_is_busy_says_when_to_come_back(tickets: ToolSource, api: FakeUpstream) -> None:
    api.next(Fault.rate_limited(30))
    failure = error_of(await tickets.call_tool(Call(name="list_tickets")))

    assert failure is not None
    assert (failure.status, failure.retry_after) == (429, 30)


async def test_a_client_closes_a_ticket_after_a_yes(api: FakeUpstream) -> None:
    async with open_gateway({"tickets": ticket_tools(transport=api.transport)}, approver=approve_all) as gateway:
        result = await gateway.client.call_tool("tickets__close_ticket", {"id": 7, "reason": "done"})

    assert not result.is_error
    assert api.received[0].arguments == {"id": 7, "reason": "done"}
