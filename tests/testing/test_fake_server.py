"""An MCP server made of a list of tools: in memory, and over a real port with what goes wrong there."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from mcpbridge.compare.snapshot import snapshot_text
from mcpbridge.compare.tools import diff
from mcpbridge.errors import ConfigError
from mcpbridge.net.limits import Limits
from mcpbridge.source.answer import error_of
from mcpbridge.testing import FakeUpstream, Fault, check_source
from mcpbridge.tools import ANYONE, Call, Json, Tool
from mcpbridge.upstream.source import McpSource

pytestmark = pytest.mark.req("TEST-04")

FIND = Tool(
    name="find",
    description="Finds things.",
    access="read",
    input_schema={"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False},
    output_schema={"type": "object", "properties": {"title": {"type": "string", "examples": ["Emma"]}}},
    extra={"annotations": {"readOnlyHint": True}},
)
DROP = Tool(name="drop", description="Drops things.", input_schema={"type": "object", "properties": {"n": {}}})


@pytest.fixture
def fake() -> FakeUpstream:
    return FakeUpstream.from_tools([FIND, DROP])


@asynccontextmanager
async def over_http(fake: FakeUpstream, **options: Any) -> AsyncGenerator[McpSource]:
    async with fake.listening() as url, McpSource(f"{url}/mcp", **options) as source:
        yield source


async def found(source: McpSource, name: str = "find", **arguments: Json) -> Any:
    return await source.call_tool(Call(name=name, arguments=arguments))


async def test_in_memory_the_tools_are_listed_and_answer_what_they_say(fake: FakeUpstream) -> None:
    async with McpSource(fake.server) as source:
        listed = await source.list_tools(ANYONE)
        answers = [await found(source, n=1), await found(source, "drop", n=2)]

    assert {tool.name for tool in listed} == {"find", "drop"}
    assert answers[0].structured_content == {"title": "Emma"}
    assert answers[1].content[0].text == 'drop {"n": 2}'
    assert [(call.name, call.arguments) for call in fake.called] == [("find", {"n": 1}), ("drop", {"n": 2})]


@pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
async def test_clients_of_both_eras_are_served_over_a_port(fake: FakeUpstream, era: str) -> None:
    async with fake.listening() as url, Client(f"{url}/mcp", mode=era) as client:
        result: Any = await client.call_tool("find", {"n": 1})

    assert result.structured_content == {"title": "Emma"}
    assert "find" in fake.names


def test_a_snapshot_and_a_listing_make_a_server_too() -> None:
    for given in (snapshot_text([FIND]), {"tools": [FIND.to_wire()]}, [FIND.to_wire()]):
        assert diff([FIND], FakeUpstream.from_tools(given).source.tools) == []


@pytest.mark.parametrize("given", [5, "x", {"tools": 5}, [{"name": 5}]])
def test_what_is_no_list_of_tools_is_told(given: Any) -> None:
    with pytest.raises(ConfigError, match=r"no JSON|no list|no name"):
        FakeUpstream.from_tools(given)


async def test_arguments_that_do_not_fit_are_told(fake: FakeUpstream) -> None:
    async with McpSource(fake.server) as source:
        answer = await found(source, n="x")

    assert answer.is_error
    assert fake.problems == ["find: /n: expected integer, got text of 1 characters; for example 1"]


async def test_an_answer_can_be_given(fake: FakeUpstream) -> None:
    fake.answer("find", lambda call: {"title": f"number {call.arguments['n']}"})
    fake.answer("drop", "gone")
    async with McpSource(fake.server) as source:
        assert (await found(source, n=3)).structured_content == {"title": "number 3"}
        assert (await found(source, "drop")).content[0].text == "gone"
    with pytest.raises(ConfigError, match="has no 'fnd'; it has: find, drop"):
        fake.answer("fnd", {})


async def test_the_fake_keeps_the_contract_of_a_source(fake: FakeUpstream) -> None:
    await check_source(fake.source, calls={"find": {"n": 1}})


async def test_a_changed_listing_is_seen_by_the_next_client(fake: FakeUpstream) -> None:
    async with McpSource(fake.server) as source:
        before = await source.list_tools(ANYONE)
    fake.change([FIND])
    async with McpSource(fake.server) as source:
        after = await source.list_tools(ANYONE)

    assert [change.id for change in diff(before, after)] == ["removed drop"]


async def test_a_poisoned_listing_is_told_by_the_difference(fake: FakeUpstream) -> None:
    kept: Sequence[Tool] = fake.source.tools
    fake.poison()
    changes = diff(kept, fake.source.tools)

    assert {change.id for change in changes} == {
        "access_lowered drop /annotations/readOnlyHint",
        "added drop_v2",
        "text drop /description",
    }
    assert "<IMPORTANT>" in fake.source.tools[1].description
    assert not fake.source.tools[1].description.isprintable()


async def test_a_poisoned_listing_goes_over_the_wire(fake: FakeUpstream) -> None:
    fake.poison()
    async with McpSource(fake.server) as source:
        listed = await source.list_tools(ANYONE)

    assert [tool.name for tool in listed] == ["drop", "drop_v2", "find"]
    assert "id_rsa" in listed[0].description


def without_names(answer: Json) -> Json:
    """The answer to `tools/list` with a first tool that has lost its name."""
    del answer["result"]["tools"][0]["name"]
    return answer


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_listing_can_be_broken_on_its_way(fake: FakeUpstream, mode: str) -> None:
    fake.always(Fault.edited(without_names), on="tools/list")
    async with over_http(fake, mode=mode) as source:
        listed = await source.list_tools(ANYONE)

    assert [tool.name for tool in listed] == ["find"]


async def test_errors_of_http_keep_their_meaning(fake: FakeUpstream) -> None:
    async with over_http(fake) as source:
        await found(source, n=1)
        fake.next(Fault.rate_limited(3), Fault.status(403), on="drop")
        failures = [error_of(await found(source, "drop")), error_of(await found(source, "drop"))]
        again = error_of(await found(source, "drop"))

    assert [failure and failure.status for failure in failures] == [429, 403]
    assert again is None


async def test_latency_meets_the_deadline(fake: FakeUpstream) -> None:
    async with over_http(fake, limits=Limits(deadline=1.0)) as source:
        await found(source, n=1)
        fake.next(Fault.slow(60), on="drop")
        failure = error_of(await found(source, "drop"))

    assert failure is not None
    assert failure.code == "timeout"


async def test_a_lost_session_is_over_and_the_next_one_is_good(fake: FakeUpstream) -> None:
    async with fake.listening() as url:
        async with Client(f"{url}/mcp", mode="legacy") as client:
            await client.list_tools()
            fake.lose_sessions()
            with pytest.raises(MCPError):
                await client.list_tools()
        async with Client(f"{url}/mcp", mode="legacy") as client:
            assert len((await client.list_tools()).tools) == 2


async def test_a_source_survives_a_lost_session(fake: FakeUpstream) -> None:
    async with over_http(fake, mode="legacy") as source:
        await found(source, n=1)
        fake.lose_sessions()
        await found(source, n=1)
        again = await found(source, n=1)

    assert error_of(again) is None
