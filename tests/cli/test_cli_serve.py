"""`mcpbridge serve`, as a client meets it."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import mcp
import pytest
from mcp import StdioServerParameters

from mcpbridge.cli.serving import how_to_connect

DEADLINE = 60.0
SERVE = ["-m", "mcpbridge", "serve"]

Mode = Literal["legacy", "2026-07-28"]
modes = pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])


def _stdio(*words: str) -> StdioServerParameters:
    return StdioServerParameters(command=sys.executable, args=[*SERVE, *words])


async def _yes(context: Any, params: Any) -> mcp.types.ElicitResult:
    return mcp.types.ElicitResult(action="accept", content={"approve": True})


async def _names(client: mcp.Client) -> list[str]:
    names: list[str] = []
    cursor: str | None = None
    while True:
        page = await client.list_tools(cursor=cursor)
        names += [tool.name for tool in page.tools]
        cursor = page.next_cursor
        if cursor is None:
            return names


@pytest.mark.req("GW-04", "GW-11")
@modes
async def test_a_description_is_served_over_stdio(shop: str, mode: Mode) -> None:
    async with asyncio.timeout(DEADLINE), mcp.Client(_stdio(shop), mode=mode) as client:
        found = await client.call_tool("list_books", {"search": "austen"})
        names = await _names(client)

    assert "place_order" in names
    assert found.structured_content is not None
    assert found.structured_content["books"][0]["title"] == "Pride and Prejudice"


@pytest.mark.req("APR-01")
@modes
async def test_a_write_asks_the_client(shop: str, mode: Mode) -> None:
    order = {"isbn": "9780140455526", "customer": {"name": "Ada"}}
    client = mcp.Client(_stdio(shop, "--stdio"), mode=mode, elicitation_callback=_yes)
    async with asyncio.timeout(DEADLINE), client:
        placed = await client.call_tool("place_order", order)

    assert not placed.is_error
    assert placed.structured_content is not None
    assert placed.structured_content["status"] == "open"


@pytest.mark.req("APR-08")
async def test_a_client_that_can_not_ask_gets_the_id_of_what_waits(shop: str) -> None:
    async with asyncio.timeout(DEADLINE), mcp.Client(_stdio(shop)) as client:
        waiting = await client.call_tool("remove_book", {"isbn": "9780141439518"})

    assert waiting.is_error
    assert waiting.structured_content is not None
    assert waiting.structured_content["error"]["code"] == "approval_required"


@pytest.mark.req("GW-01")
async def test_a_slug_is_put_in_front_when_it_is_asked_for(shop: str) -> None:
    async with asyncio.timeout(DEADLINE), mcp.Client(_stdio(shop, "--name", "books")) as client:
        assert "books__list_books" in await _names(client)


async def test_an_mcp_server_is_served_again() -> None:
    target = f"stdio:{sys.executable} -m mcp_server_time"
    async with asyncio.timeout(DEADLINE), mcp.Client(_stdio(target), elicitation_callback=_yes) as client:
        answer = await client.call_tool("get_current_time", {"timezone": "UTC"})

    assert not answer.is_error


@pytest.fixture
def over_http(shop: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
    command = [sys.executable, *SERVE, shop, "--http", address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://{address}/mcp", process
        finally:
            process.kill()


@pytest.mark.req("GW-04", "GW-11")
@modes
async def test_a_description_is_served_over_http_and_tells_how_to_connect(
    over_http: tuple[str, subprocess.Popen[str]], mode: Mode
) -> None:
    url, process = over_http
    assert process.stderr is not None
    said = [await asyncio.to_thread(process.stderr.readline) for _ in range(4)]
    async with asyncio.timeout(DEADLINE):
        await _listening(url)
        async with mcp.Client(url, mode=mode) as client:
            names = await _names(client)
    process.send_signal(signal.SIGINT)

    assert "list_books" in names
    assert [word for word in ("claude mcp add", "mcp.json", "VS Code") if word not in "".join(said)] == []
    assert await asyncio.to_thread(process.communicate, timeout=DEADLINE) == ("", "")
    assert process.returncode == 130


async def _listening(url: str) -> None:
    """Waits, under the caller's deadline, for the server that said it is about to listen."""
    port = int(url.rpartition(":")[2].partition("/")[0])
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0)
        else:
            writer.close()
            return


def test_what_is_pasted_names_the_server_and_its_address() -> None:
    told = how_to_connect("books", "http://127.0.0.1:8000/mcp")

    assert "claude mcp add --transport http books http://127.0.0.1:8000/mcp" in told
    assert '"books": {"type": "http", "url": "http://127.0.0.1:8000/mcp"}' in told


@pytest.mark.corpus
@modes
async def test_all_of_a_large_description_is_served(corpus: Path, mode: Mode) -> None:
    served = _stdio(str(corpus / "github-api.json"), "--base-url", "http://127.0.0.1:9")
    async with asyncio.timeout(DEADLINE), mcp.Client(served, mode=mode) as client:
        names = await _names(client)
        refused = await client.call_tool("repos_get", {"owner": "octocat", "repo": "hello"})

    assert len(set(names)) == 1223
    assert refused.is_error
