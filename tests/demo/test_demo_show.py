"""The demonstration shows what it says, and serves it afterwards."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import mcp
import pytest

from mcpbridge import ConfigError
from mcpbridge.demo.show import show

DEADLINE = 60.0

SERVE = """
import asyncio, sys
from mcpbridge.cli.outcome import ended
from mcpbridge.demo.show import show
sys.exit(ended(lambda: asyncio.run(show(once=False, port={port}))))
"""


@pytest.fixture
def served() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    command = [sys.executable, "-W", "error", "-c", SERVE.format(port=port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{port}/mcp", process
        finally:
            process.kill()


@pytest.mark.req("GW-11")
def test_the_show_tells_of_the_listing_a_read_a_refusal_and_an_approval(capsys: pytest.CaptureFixture[str]) -> None:
    assert asyncio.run(show(once=True)) == 0

    said = capsys.readouterr().out
    expected = ["place_order", "Pride and Prejudice", "expected", "Allow this call of place_order?", '"status": "open"']
    assert [words for words in expected if words not in said] == []


def test_a_port_that_is_taken_is_told_before_anything_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port} can't be served on"):
            asyncio.run(show(once=False, port=port))

    assert capsys.readouterr().out == ""


async def test_the_demonstration_serves_its_tools_until_it_is_interrupted(
    served: tuple[str, subprocess.Popen[str]],
) -> None:
    url, process = served
    assert process.stderr is not None
    said = [await asyncio.to_thread(process.stderr.readline) for _ in range(4)]

    async with asyncio.timeout(DEADLINE), await _connected(url) as client:
        found = await client.call_tool("list_books", {"search": "austen"})
    process.send_signal(signal.SIGINT)
    code = await asyncio.to_thread(process.wait, DEADLINE)

    assert url in said[0]
    assert found.structured_content is not None
    assert found.structured_content["total"] == 1
    assert (code, await asyncio.to_thread(process.stderr.read)) == (130, "")


async def _connected(url: str) -> mcp.Client:
    """A client of a server that has said that it is about to listen."""
    host, port = "127.0.0.1", int(url.rpartition(":")[2].partition("/")[0])
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0)
        else:
            writer.close()
            return mcp.Client(url)
