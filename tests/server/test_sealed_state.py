"""What a question leaves with the client comes back unchanged, from the same caller, for the same call."""

from __future__ import annotations

from typing import Any

import mcp_types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from shelf import Shelf, say_yes

from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret
from mcpbridge.server.identity import RequestContext
from mcpbridge.server.lowlevel import to_server
from mcpbridge.tools import Caller

YES: dict[str, Any] = {"shelf.sure": mcp_types.ElicitResult(action="accept", content={})}
KEYS = [Secret("k" * 32)]


async def _ask(client: Client, arguments: dict[str, Any]) -> mcp_types.InputRequiredResult:
    result = await client.session.call_tool("delete", arguments, allow_input_required=True)
    assert isinstance(result, mcp_types.InputRequiredResult)
    return result


async def _answer(client: Client, arguments: dict[str, Any], state: str | None) -> Any:
    return await client.session.call_tool(
        "delete", arguments, input_responses=YES, request_state=state, allow_input_required=True
    )


def _tampered(state: str) -> str:
    middle = len(state) // 2
    return state[:middle] + ("A" if state[middle] != "A" else "B") + state[middle + 1 :]


def _cut(state: str) -> str:
    return state[:20]


def _plain(_: str) -> str:
    return '{"shelf":{"own":"asked"}}'


async def test_the_state_shows_a_client_nothing(shelf: Shelf) -> None:
    async with Client(to_server(shelf, name="shelf"), elicitation_callback=say_yes) as client:
        asked = await _ask(client, {"id": 1})
    assert asked.request_state
    assert "asked" not in asked.request_state


@pytest.mark.req("ATK-56")
@pytest.mark.parametrize("spoil", [_tampered, _cut, _plain])
async def test_a_state_that_was_changed_is_refused(shelf: Shelf, spoil: Any) -> None:
    async with Client(to_server(shelf, name="shelf"), elicitation_callback=say_yes) as client:
        asked = await _ask(client, {"id": 1})
        with pytest.raises(MCPError, match="Invalid or expired requestState"):
            await _answer(client, {"id": 1}, spoil(asked.request_state))
    assert shelf.deleted == []


@pytest.mark.req("ATK-56")
async def test_a_state_is_no_use_for_other_arguments(shelf: Shelf) -> None:
    async with Client(to_server(shelf, name="shelf"), elicitation_callback=say_yes) as client:
        asked = await _ask(client, {"id": 1})
        with pytest.raises(MCPError, match="Invalid or expired requestState"):
            await _answer(client, {"id": 2}, asked.request_state)
    assert shelf.deleted == []


@pytest.mark.req("ATK-56")
async def test_an_answer_without_a_state_is_asked_again(shelf: Shelf) -> None:
    async with Client(to_server(shelf, name="shelf"), elicitation_callback=say_yes) as client:
        again = await _answer(client, {"id": 1}, None)
    assert isinstance(again, mcp_types.InputRequiredResult)
    assert shelf.deleted == []


@pytest.mark.req("ATK-56", "ATK-54")
@pytest.mark.parametrize("other", [Caller(tenant="acme", user="bob"), Caller(tenant="other", user="ann")])
async def test_a_state_is_no_use_for_another_caller(shelf: Shelf, other: Caller) -> None:
    caller = Caller(tenant="acme", user="ann")

    async def identify(_: RequestContext) -> Caller:
        return caller

    async with Client(to_server(shelf, name="shelf", identify=identify), elicitation_callback=say_yes) as client:
        asked = await _ask(client, {"id": 1})
        caller = other
        with pytest.raises(MCPError, match="Invalid or expired requestState"):
            await _answer(client, {"id": 1}, asked.request_state)
    assert shelf.deleted == []


async def test_a_replica_with_the_same_keys_takes_the_answer(shelf: Shelf) -> None:
    first, second = (to_server(shelf, name="shelf", state_keys=keys) for keys in (KEYS, [Secret("n" * 32), *KEYS]))
    async with Client(first, elicitation_callback=say_yes) as client:
        asked = await _ask(client, {"id": 1})
    async with Client(second, elicitation_callback=say_yes) as client:
        await _answer(client, {"id": 1}, asked.request_state)
    assert shelf.deleted == [{"id": 1}]


async def test_a_state_of_another_gateway_with_the_same_keys_is_refused(shelf: Shelf) -> None:
    async with Client(to_server(shelf, name="a", state_keys=KEYS), elicitation_callback=say_yes) as client:
        asked = await _ask(client, {"id": 1})
    async with Client(to_server(shelf, name="b", state_keys=KEYS), elicitation_callback=say_yes) as client:
        with pytest.raises(MCPError, match="Invalid or expired requestState"):
            await _answer(client, {"id": 1}, asked.request_state)


@pytest.mark.parametrize("keys", [[], ["short"], [Secret("short")], [1]])
def test_keys_that_cant_seal_are_refused_at_build(shelf: Shelf, keys: Any) -> None:
    with pytest.raises(ConfigError, match="state_keys can't seal"):
        to_server(shelf, name="shelf", state_keys=keys)


def test_a_server_without_a_name_is_refused_at_build(shelf: Shelf) -> None:
    with pytest.raises(ConfigError, match="needs a name"):
        to_server(shelf, name="")
