"""`mcpbridge call`."""

from __future__ import annotations

import json
import shlex
import sys

import pytest
from commands import Command

BOOK = '{"isbn": "9780141439518"}'
PRICE = '{"isbn": "9780141439600", "cents": 950}'


@pytest.mark.req("GW-11")
def test_a_read_runs_and_its_answer_is_on_stdout(command: Command, shop: str) -> None:
    ended = command("call", shop, "get_book", "--args", BOOK)

    assert json.loads(ended.out)["author"] == "Jane Austen"
    assert (ended.code, ended.err) == (0, "")


def test_the_answer_as_json_is_the_whole_result(command: Command, shop: str) -> None:
    ended = command("call", shop, "get_book", "--args", BOOK, "--json")

    assert ended.json["structuredContent"]["author"] == "Jane Austen"


@pytest.mark.req("APR-01")
def test_a_write_needs_a_yes(command: Command, shop: str) -> None:
    ended = command("call", shop, "set_price", "--args", PRICE)

    assert ended.code == 1
    assert "add --yes to approve it" in ended.err
    assert json.loads(command("call", shop, "get_book", "--args", '{"isbn": "9780141439600"}').out)["cents"] == 999


def test_a_write_runs_with_a_yes(command: Command, shop: str) -> None:
    price = '{"isbn": "9780140434941", "cents": 950}'

    assert json.loads(command("call", shop, "set_price", "--args", price, "--yes").out)["cents"] == 950


def test_a_dry_run_shows_the_request_and_sends_nothing(command: Command, shop: str) -> None:
    ended = command("call", shop, "remove_book", "--args", BOOK, "--dry-run", "--base-url", "https://shop.test/v1")

    assert shlex.split(ended.out.replace("\\\n", ""))[:4] == [
        "curl", "-X", "DELETE", "https://shop.test/v1/books/9780141439518",
    ]  # fmt: skip
    assert command("call", shop, "get_book", "--args", BOOK).code == 0


def test_a_dry_run_shows_no_secret(command: Command, shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "s3cret-token")
    ended = command(
        "call", shop, "get_book", "--args", BOOK, "--dry-run",
        "--header", "Authorization: Bearer ${TOKEN}", "--header", "X-Key: s3cret-key",
    )  # fmt: skip

    assert "s3cret" not in ended.out + ended.err
    assert "Bearer ${TOKEN}" in ended.out


def test_wrong_arguments_are_told_one_by_one_and_nothing_is_sent(command: Command, shop: str) -> None:
    ended = command("call", shop, "list_books", "--args", '{"limit": 500, "genre": "opera"}')

    assert (ended.code, ended.out) == (2, "")
    assert "/limit" in ended.err
    assert "novel" in ended.err


def test_a_missing_argument_is_named(command: Command, shop: str) -> None:
    ended = command("call", shop, "get_book")

    assert ended.code == 2
    assert "isbn" in ended.err


def test_an_unknown_tool_is_answered_with_the_closest(command: Command, shop: str) -> None:
    ended = command("call", shop, "get_bok", "--args", BOOK)

    assert ended.code == 2
    assert "did you mean 'get_book'" in ended.err


def test_a_problem_of_the_upstream_is_one_line_and_a_failure(command: Command, shop: str) -> None:
    ended = command("call", shop, "get_book", "--args", '{"isbn": "9780000000000"}')

    assert ended.code == 1
    assert "404" in ended.err
    assert ended.err.count("\n") == 1


def test_a_tool_of_an_mcp_server_is_called(command: Command) -> None:
    target = f"stdio:{sys.executable} -m mcp_server_time"
    ended = command("call", target, "get_current_time", "--args", '{"timezone": "UTC"}', "--yes")

    assert (ended.code, json.loads(ended.out)["timezone"]) == (0, "UTC")
