"""`mcpbridge tools`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from commands import Command

NAMES = [
    "list_books", "add_book", "get_book", "remove_book", "set_price", "list_orders", "place_order", "cancel_order",
]  # fmt: skip


@pytest.mark.req("GW-11")
def test_the_listing_as_json_is_what_mcp_would_list(command: Command, shop: str) -> None:
    ended = command("tools", shop, "--json")

    assert [tool["name"] for tool in ended.json] == NAMES
    assert all(tool["inputSchema"]["type"] == "object" for tool in ended.json)
    assert (ended.code, ended.err) == (0, "")


def test_the_listing_for_a_person_tells_what_writes(command: Command, shop: str) -> None:
    ended = command("tools", shop)

    assert [name for name in NAMES if name not in ended.out] == []
    assert "8 tools: 3 read, 5 write" in ended.err


def test_a_selection_narrows_the_listing(command: Command, shop: str) -> None:
    ended = command("tools", shop, "--json", "--select", "tag:orders", "--select", "access:write")

    assert [tool["name"] for tool in ended.json] == ["place_order", "cancel_order"]


def test_a_tool_is_explained(command: Command, shop: str) -> None:
    told = command("tools", shop, "--explain", "set_price", "--json").json

    assert (told["request"], told["access"]) == ("PUT /books/{isbn}/price", "write")
    assert told["arguments"] == {
        "isbn": {"where": "path", "name": "isbn"},
        "cents": {"where": "body", "name": "cents"},
    }


@pytest.mark.req("VIS-05")
@pytest.mark.parametrize(("name", "last", "words"), [("list_books", "allowed", "runs"), ("set_price", "asks", "asks")])
def test_an_explanation_tells_what_each_layer_says(
    command: Command, shop: str, name: str, last: str, words: str
) -> None:
    told = command("tools", shop, "--explain", name, "--json").json

    verdicts = {verdict["layer"]: verdict for verdict in told["verdicts"]}
    assert (verdicts["Listing"]["code"], verdicts["Approve"]["code"]) == ("found", last)
    assert told["approval"].startswith(words)


def test_an_explanation_for_a_person_tells_where_arguments_go(command: Command, shop: str) -> None:
    said = command("tools", shop, "--explain", "set_price").out

    assert "asks a person first" in said
    assert "isbn → path isbn" in said


def test_a_wrong_name_to_explain_is_answered_with_the_closest(command: Command, shop: str) -> None:
    ended = command("tools", shop, "--explain", "set_prise")

    assert (ended.code, ended.out) == (2, "")
    assert "did you mean 'set_price'?" in ended.err


def test_the_tools_of_an_mcp_server_are_listed(command: Command) -> None:
    ended = command("tools", f"stdio:{sys.executable} -m mcp_server_time", "--json")

    assert "get_current_time" in [tool["name"] for tool in ended.json]


@pytest.mark.corpus
def test_all_of_a_large_description_is_listed(command: Command, corpus: Path) -> None:
    assert len(command("tools", str(corpus / "github-api.json"), "--json").json) == 1223
