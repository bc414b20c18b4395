"""A configuration file as the target of each command."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import mcp
import pytest
from commands import Command

from mcpbridge.demo.local import running

DEADLINE = 60.0
EXAMPLE = Path(__file__).parents[2] / "examples/gateway.yaml"


@pytest.fixture(scope="module")
def books() -> Iterator[str]:
    with running() as url:
        yield url


@pytest.fixture
def config(books: str, tmp_path: Path) -> str:
    path = tmp_path / "gateway.yaml"
    path.write_text(EXAMPLE.read_text("utf-8").replace("${BOOKSHOP:-http://127.0.0.1:8320}", books), "utf-8")
    return str(path)


@pytest.mark.req("GW-11")
def test_status_tells_how_each_integration_is(command: Command, config: str) -> None:
    dead = "  - {name: dead, protocol: mcp, url: 'http://127.0.0.1:9/mcp'}\n"
    Path(config).write_text(Path(config).read_text("utf-8") + dead, "utf-8")
    shown, told = command("status", config), command("status", "--json", config)

    assert (shown.code, told.code) == (0, 0)
    assert "dead    failed" in shown.out
    assert "needs a login" in shown.out
    assert "3 integrations, 1 failed" in shown.out
    assert {name: each["state"] for name, each in told.json.items()} == {
        "books": "pending",
        "dead": "failed",
        "linear": "disabled",
    }


def test_status_of_anything_else_is_refused(command: Command, shop: str) -> None:
    ended = command("status", shop)

    assert ended.code == 2
    assert "is no configuration file" in ended.err


@pytest.mark.req("GW-10", "GW-11")
def test_tools_and_calls_go_through_the_gateway_of_a_file(command: Command, config: str) -> None:
    listed = command("tools", config, "--json").json
    called = command("call", config, "books__list_books", "--args", '{"search": "austen"}')
    refused = command("call", config, "books__cancel_order", "--args", '{"number": "999"}', "--header", "A: b")

    assert {tool["name"] for tool in listed} == {"books__list_books", "books__get_book", "books__cancel_order"}
    assert "Pride and Prejudice" in called.out
    assert "write headers into the configuration file" in refused.err


def test_a_typo_in_a_file_is_a_clear_line(command: Command, config: str) -> None:
    Path(config).write_text(Path(config).read_text("utf-8").replace("base_url", "bsae_url"), "utf-8")
    ended = command("status", config)

    assert ended.code == 2
    assert "integrations.0 (books): bsae_url: is no field of an integration: did you mean 'base_url'?" in ended.err
    assert ended.err.count("\n") == 1


def test_options_for_one_upstream_are_refused(command: Command, config: str) -> None:
    assert "gives each its own" in command("serve", config, "--name", "x").err


@pytest.mark.req("GW-10")
def test_the_schema_for_editors_is_printed(command: Command) -> None:
    assert json.loads(command("schema").out)["title"] == "mcpbridge configuration"


@pytest.fixture
def served(config: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
    words = [sys.executable, "-m", "mcpbridge", "serve", config, "--http", address]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://{address}", process
        finally:
            process.kill()


@pytest.mark.req("GW-11", "FLT-36")
async def test_a_file_is_served_followed_and_ended_in_order(
    config: str, served: tuple[str, subprocess.Popen[str]]
) -> None:
    url, process = served
    async with asyncio.timeout(DEADLINE):
        assert await _health(url, process) == {"status": "ok", "integrations": {"pending": 1, "disabled": 1}}
        async with mcp.Client(f"{url}/mcp") as client:
            before = await _names(client)
            _rename(config, "shelf")
            while (after := await _names(client)) == before:  # noqa: ASYNC110 - another process reads the file
                await asyncio.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(process.communicate, timeout=DEADLINE)

    assert ("books__list_books" in before, "shelf__list_books" in after) == (True, True)
    assert process.returncode == 0


async def _names(client: mcp.Client) -> list[str]:
    return [tool.name for tool in (await client.list_tools()).tools]


def _rename(config: str, name: str) -> None:
    path = Path(config)
    path.write_text(path.read_text("utf-8").replace("name: books", f"name: {name}"), "utf-8")


async def _health(url: str, process: subprocess.Popen[str]) -> Any:
    async with httpx2.AsyncClient() as client:
        while process.poll() is None:
            try:
                return (await client.get(f"{url}/health")).json()
            except httpx2.ConnectError:
                await asyncio.sleep(0.05)
    return process.communicate()


@pytest.mark.req("GW-11", "INT-06")
def test_validate_checks_each_integration_of_a_file(command: Command, config: str) -> None:
    Path(config).write_text(Path(config).read_text("utf-8").replace("https://mcp.linear.app", "http://127.0.0.1:9"))
    shown, told = command("validate", config), command("validate", config, "--json")

    assert (shown.code, told.code) == (1, 1)
    assert "books: works" in shown.out
    assert "linear: does not work" in shown.out
    assert {each["integration"]: each["ok"] for each in told.json} == {"books": True, "linear": False}


@pytest.mark.req("GW-11", "INT-06")
def test_validate_checks_a_description_or_a_server_too(command: Command, shop: str) -> None:
    server = command("validate", f"stdio:{sys.executable} -m mcp_server_time", "--json")

    assert command("validate", shop).code == 0
    assert (server.code, server.json[0]["ok"]) == (0, True)
