"""Finding, reading and calling tools as real clients of both eras do."""

from __future__ import annotations

from typing import Any

import mcp_types
import pytest
from mcp import Client

from contract import Things
from mcpbridge.build import guarded
from mcpbridge.discover.discover import Discover
from mcpbridge.router import Router
from mcpbridge.server.lowlevel import to_server
from mcpbridge.source.answer import error_of

ERAS = pytest.mark.parametrize("era", ["legacy", "2026-07-28"])


def _server(things: Things) -> Any:
    return to_server(Discover(guarded(Router({"a": things}))), name="s")


def _answering(action: Any, asked: list[str]) -> Any:
    async def answer(_context: object, params: mcp_types.ElicitRequestParams) -> mcp_types.ElicitResult:
        asked.append(params.message)
        return mcp_types.ElicitResult(action=action, content={"approve": True} if action == "accept" else None)

    return answer


@ERAS
@pytest.mark.req("CTX-01")
async def test_a_client_is_listed_three_tools_and_finds_the_others(era: str) -> None:
    async with Client(_server(Things()), mode=era) as client:
        listed = {tool.name for tool in (await client.list_tools()).tools}
        found = await client.call_tool("discover_tools", {"query": "write it"})
        read = await client.call_tool("call_tool", {"name": "a__read_it"})

    assert listed == {"discover_tools", "describe_tool", "call_tool"}
    assert isinstance(found.content[0], mcp_types.TextContent)
    assert found.content[0].text.startswith("a__write_it (write): Writes it.")
    assert read.is_error is not True


@ERAS
@pytest.mark.req("CTX-01", "ATK-59", "APR-07")
@pytest.mark.parametrize(("action", "ran"), [("accept", 1), ("decline", 0)])
async def test_a_person_is_asked_about_the_tool_that_is_meant(era: str, action: str, ran: int) -> None:
    things, asked = Things(), list[str]()
    call = {"name": "a__write_it", "arguments": {"text": "hello"}}
    async with Client(_server(things), mode=era, elicitation_callback=_answering(action, asked)) as client:
        answer = await client.call_tool("call_tool", call)

    assert len(things.calls) == ran
    assert (error_of(answer) is None) is bool(ran)
    assert len(asked) == 1
    assert "a__write_it" in asked[0]
    assert "hello" in asked[0]
