"""Logs and freshness: what a client asked for, and no more."""

from __future__ import annotations

import time
from typing import Any

import mcp_types
import pytest
from mcp import Client
from mcp_types import LOG_LEVEL_META_KEY
from teller import Teller

from mcpbridge.server.lowlevel import to_server
from mcpbridge.tools import LOG_LEVELS


async def _heard(client: Client, meta: dict[str, Any] | None = None) -> None:
    params = mcp_types.CallToolRequestParams.model_validate({"name": "quiet", "_meta": meta or {}})
    await client.session.send_request(mcp_types.CallToolRequest(params=params), mcp_types.CallToolResult)


@pytest.mark.req("UP-06")
async def test_a_new_client_gets_the_levels_that_it_asked_for_on_the_call() -> None:
    heard: list[str] = []

    async def log(params: mcp_types.LoggingMessageNotificationParams) -> None:
        heard.append(params.level)
        assert (params.data, params.logger) == ({"said": params.level}, "shelf")

    async with Client(to_server(Teller(), name="teller"), mode="2026-07-28", logging_callback=log) as client:
        await _heard(client)
        assert heard == []
        await _heard(client, {LOG_LEVEL_META_KEY: "warning"})
    assert heard == [*LOG_LEVELS[3:]]


@pytest.mark.req("UP-06")
async def test_an_old_client_gets_everything_until_it_says_what_it_wants() -> None:
    heard: list[str] = []

    async def log(params: mcp_types.LoggingMessageNotificationParams) -> None:
        heard.append(params.level)

    async with Client(to_server(Teller(), name="teller"), mode="legacy", logging_callback=log) as client:
        await _heard(client)
        assert heard == [*LOG_LEVELS]
        heard.clear()
        level = mcp_types.SetLevelRequest(params=mcp_types.SetLevelRequestParams(level="error"))
        await client.session.send_request(level, mcp_types.EmptyResult)
        await _heard(client)
    assert heard == [*LOG_LEVELS[4:]]


@pytest.mark.req("GW-03")
@pytest.mark.parametrize(("edge", "fresh"), [(None, (60_000, 60_000)), (3600.0, (60_000, 60_000)), (30.0, (1, 30_000))])
async def test_a_listing_is_fresh_as_long_as_the_host_says_and_never_past_an_edge(
    edge: float | None, fresh: tuple[int, int]
) -> None:
    teller = Teller()
    teller.edge = edge and time.time() + edge
    async with Client(to_server(teller, name="teller", listing_ttl=60), mode="2026-07-28") as client:
        page = await client.list_tools()
    assert fresh[0] <= (page.ttl_ms or 0) <= fresh[1]
    assert page.cache_scope == "private"


@pytest.mark.req("GW-03")
async def test_an_edge_that_passed_leaves_a_listing_no_time() -> None:
    teller = Teller()
    teller.edge = time.time() - 1
    async with Client(to_server(teller, name="teller", listing_ttl=60), mode="2026-07-28") as client:
        assert (await client.list_tools()).ttl_ms == 0


async def test_both_eras_are_told_what_they_will_hear_of() -> None:
    for era in ("legacy", "auto"):
        async with Client(to_server(Teller(), name="teller"), mode=era) as client:
            offered = client.server_capabilities.model_dump(exclude_none=True)
        assert offered["tools"] == offered["prompts"] == {"list_changed": True}
        assert offered["resources"] == {"subscribe": True, "list_changed": True}
        assert "logging" in offered
