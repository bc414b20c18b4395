"""What a search says where some of a gateway's integrations can't be had."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mcp_types
import pytest

from mcpbridge.discover.discover import Discover
from mcpbridge.gateway.gateway import Gateway
from mcpbridge.gateway.health import summed
from mcpbridge.integrations.record import Integration
from mcpbridge.tools import Call, Status

DEAD = Integration(name="dead", protocol="mcp", url="http://127.0.0.1:9/mcp")


@pytest.mark.req("GW-02", "CTX-01")
async def test_a_search_names_what_is_dead_and_finds_the_rest(books: Callable[..., dict[str, Any]]) -> None:
    missing = Integration(name="missing", protocol="rest", openapi="/nowhere/api.json", base_url="https://a.example")
    async with Discover(Gateway([Integration(**books()), DEAD, missing])) as gateway:
        answer = await gateway.call(Call(name="discover_tools", arguments={"query": "list books"}))

    assert isinstance(answer, mcp_types.CallToolResult)
    found: Any = answer.structured_content
    assert found["tools"][0]["name"] == "books__list_books"
    assert "dead: http://127.0.0.1:9 can't be reached" in found["unavailable"]
    assert "missing: " in found["unavailable"]
    assert "books" not in found["unavailable"]


@pytest.mark.req("GW-02")
async def test_what_was_not_tried_yet_is_not_called_unavailable(books: Callable[..., dict[str, Any]]) -> None:
    async with Discover(Gateway([Integration(**books())])) as gateway:
        answer = await gateway.call(Call(name="discover_tools", arguments={"query": "list books"}))

    assert isinstance(answer, mcp_types.CallToolResult)
    assert "unavailable" not in (answer.structured_content or {})


def test_a_message_names_no_more_than_twenty() -> None:
    status = summed({f"api{number:02}": Status(state="failed") for number in range(25)})

    assert status.message.endswith("api19: failed; and 5 more")
