"""What a client says of itself, and what it can be asked for that."""

from __future__ import annotations

import mcp_types
import pytest
from mcp import Client
from shelf import CONFIRM, CONSENT, Shelf, say_yes

from mcpbridge.server.channel import can_answer
from mcpbridge.server.lowlevel import to_server
from mcpbridge.tools import ClientChannel

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


@pytest.mark.parametrize(
    ("channel", "requests", "can"),
    [
        (ClientChannel(form=True), FORM, True),
        (ClientChannel(form=True), PAGE, False),
        (ClientChannel(url=True), PAGE, True),
        (ClientChannel(url=True), {**PAGE, "b": FORM["a"]}, False),
        (ClientChannel(form=True, url=True), ROOTS, False),
        (ClientChannel(), {}, True),
    ],
)
def test_a_client_is_asked_only_what_it_can_answer(
    channel: ClientChannel, requests: mcp_types.InputRequests, *, can: bool
) -> None:
    assert can_answer(channel, requests) is can
