"""What a client says of itself, and what it can be asked for that."""

from __future__ import annotations

import json
from typing import Any

import mcp_types
import pytest
from mcp import Client
from shelf import CONFIRM, CONSENT, Shelf, say_yes

from mcpbridge.server.lowlevel import to_server
from mcpbridge.source.answer import answers, ask, error_of
from mcpbridge.source.base import Answer
from mcpbridge.tools import Call

FORM: mcp_types.InputRequests = {"a": mcp_types.ElicitRequest(params=CONFIRM)}
PAGE: mcp_types.InputRequests = {"a": mcp_types.ElicitRequest(params=CONSENT)}
ROOTS: mcp_types.InputRequests = {"a": mcp_types.ListRootsRequest()}


async def test_a_client_with_a_person_can_be_asked(shelf: Shelf, era: str) -> None:
    async with Client(to_server(shelf, name="shelf"), mode=era, elicitation_callback=say_yes) as client:
        await client.call_tool("book")
    channel = shelf.calls[0].client
    assert channel is not None
    assert (channel.form, channel.url) == (True, True)


async def test_a_client_without_a_person_cant(shelf: Shelf, era: str) -> None:
    async with Client(to_server(shelf, name="shelf"), mode=era) as client:
        await client.call_tool("book")
    channel = shelf.calls[0].client
    assert channel is not None
    assert (channel.form, channel.url) == (False, False)


class Asking(Shelf):
    """Asks whatever it is given, once."""

    def __init__(self, requests: mcp_types.InputRequests) -> None:
        super().__init__()
        self.requests = requests

    async def call(self, call: Call) -> Answer:
        back = answers(call, "asking")
        if back.own is None:
            return ask("asking", self.requests, "asked")
        answered = json.dumps(dict(back.responses), sort_keys=True)
        return mcp_types.CallToolResult(content=[mcp_types.TextContent(text=answered)])


async def _roots(context: object) -> mcp_types.ListRootsResult:
    return mcp_types.ListRootsResult(roots=[])


@pytest.mark.parametrize(
    ("requests", "client", "answered"),
    [
        (FORM, {"elicitation_callback": say_yes}, True),
        (PAGE, {"elicitation_callback": say_yes}, True),
        ({**FORM, "b": PAGE["a"]}, {"elicitation_callback": say_yes}, True),
        (ROOTS, {"list_roots_callback": _roots}, True),
        (ROOTS, {"elicitation_callback": say_yes}, False),
        ({**FORM, "b": ROOTS["a"]}, {"elicitation_callback": say_yes}, False),
        (FORM, {}, False),
    ],
)
async def test_a_client_is_asked_only_what_it_can_answer(
    era: str, requests: mcp_types.InputRequests, client: dict[str, Any], *, answered: bool
) -> None:
    async with Client(to_server(Asking(requests), name="asking"), mode=era, **client) as connected:
        failure = error_of(await connected.call_tool("any"))
    assert (failure is None) is answered
    assert failure is None or failure.code == "input_required"
