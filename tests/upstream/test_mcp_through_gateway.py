"""An MCP server behind a router behind our server: what it says comes through, in every pairing of eras."""

from __future__ import annotations

import mcp_types
import peer
import pytest
from mcp import Client

from mcpbridge.router import Router
from mcpbridge.server.lowlevel import to_server
from mcpbridge.source.answer import error_of
from mcpbridge.upstream.source import McpSource

PAIRS = [(up, down) for up in ("auto", "legacy") for down in ("2026-07-28", "legacy")]


async def _yes(context: object, params: mcp_types.ElicitRequestParams) -> mcp_types.ElicitResult:
    return mcp_types.ElicitResult(action="accept", content={})


def _text(result: mcp_types.CallToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, mcp_types.TextContent))


@pytest.mark.req("UP-01")
@pytest.mark.parametrize(("upstream", "downstream"), PAIRS)
async def test_calls_progress_and_errors_come_through(upstream: str, downstream: str) -> None:
    heard: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)

    async with (
        Router({"peer": McpSource(peer.server(), mode=upstream)}) as source,
        Client(to_server(source, name="gateway"), mode=downstream) as client,
    ):
        assert "peer__echo" in [tool.name for tool in (await client.list_tools()).tools]
        assert _text(await client.call_tool("peer__echo", {"a": 1})) == '{"a": 1}'
        await client.call_tool("peer__slow", {}, progress_callback=hear)
        failure = error_of(await client.call_tool("peer__refuse", {}))
    assert heard == [1]
    assert failure is not None
    assert failure.code == "upstream_error"


@pytest.mark.parametrize("downstream", ["2026-07-28", "legacy"])
async def test_a_question_of_a_new_upstream_reaches_clients_of_both_eras(downstream: str) -> None:
    async with Router({"peer": McpSource(peer.server())}) as source:
        server = to_server(source, name="gateway")
        async with Client(server, mode=downstream, elicitation_callback=_yes) as client:
            answered = _text(await client.call_tool("peer__ask", {}))
    assert answered == "peer-state {'sure': 'accept'}"


@pytest.mark.req("GW-02")
async def test_a_dead_upstream_costs_only_its_own_tools() -> None:
    sources = {"dead": McpSource("http://127.0.0.1:9/mcp"), "peer": McpSource(peer.server())}
    async with Router(sources) as source, Client(to_server(source, name="gateway")) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        status = await source.status()
    assert names == sorted(f"peer__{tool.name}" for tool in peer.TOOLS)
    assert "dead" in status.message
