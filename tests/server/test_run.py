"""A served gateway that is told to stop: it drains, leaves its source, and ends with 0."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client
from shelf import text_of

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
CHILD = str(Path(__file__).with_name("child.py"))

pytestmark = pytest.mark.req("FLT-36")


@asynccontextmanager
async def _running(*words: str) -> AsyncGenerator[Process]:
    child = await asyncio.create_subprocess_exec(sys.executable, CHILD, *words, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


@asynccontextmanager
async def _serving() -> AsyncGenerator[tuple[Process, str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with _running(str(port)) as child, asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                break
            except OSError:
                await asyncio.sleep(0.05)
        writer.close()
        yield child, f"http://127.0.0.1:{port}/mcp"


async def _ended(child: Process) -> tuple[int, str]:
    _, said = await asyncio.wait_for(child.communicate(), 20)
    return child.returncode or 0, said.decode()


async def test_over_stdio_a_signal_ends_it_with_0() -> None:
    async with _running() as child:
        assert child.stdin
        assert child.stdout
        child.stdin.write(PING)
        assert b'"id":1' in await asyncio.wait_for(child.stdout.readline(), 20)
        child.send_signal(signal.SIGTERM)
        code, said = await _ended(child)
    assert (code, "left" in said) == (0, True), said


async def test_over_stdio_an_interrupt_leaves_the_source_first() -> None:
    async with _running() as child:
        assert child.stdin
        assert child.stdout
        child.stdin.write(PING)
        await asyncio.wait_for(child.stdout.readline(), 20)
        child.send_signal(signal.SIGINT)
        code, said = await _ended(child)
    assert code != 0
    assert said.find("left") < said.find("KeyboardInterrupt")
    assert "left" in said


async def test_over_stdio_the_end_of_the_input_ends_it_with_0() -> None:
    async with _running() as child:
        assert child.stdin
        child.stdin.close()
        code, said = await _ended(child)
    assert (code, "left" in said) == (0, True), said


async def test_over_http_a_call_under_way_is_answered_first() -> None:
    begun = asyncio.Event()

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        begun.set()

    async with _serving() as (child, url), Client(url) as client:
        await client.list_tools()
        call = asyncio.create_task(client.call_tool("slow", {"seconds": 1}, progress_callback=hear))
        await begun.wait()
        child.send_signal(signal.SIGTERM)
        assert text_of(await call) == "nobody"
        code, said = await _ended(child)
    assert (code, "left" in said, "Traceback" in said) == (0, True, False), said


@pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
async def test_over_http_streams_end_before_the_grace_is_over(era: str) -> None:
    async with _serving() as (child, url), Client(url, mode=era) as client:
        await client.list_tools()
        if era == "legacy":
            await _stopped_soon(child)
            return
        async with client.listen(tools_list_changed=True) as stream:
            await _stopped_soon(child)
            assert [event async for event in stream] == []


async def _stopped_soon(child: Process) -> None:
    started = time.monotonic()
    child.send_signal(signal.SIGTERM)
    code, said = await _ended(child)
    assert (code, "left" in said, "exceeded" in said) == (0, True, False), said
    assert time.monotonic() - started < 4.5
