"""Waiting for what happens by itself, under a deadline; and what a process has open."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mcp_types
from mcp import StdioServerParameters

PUPPET = Path(__file__).with_name("puppet.py")


def puppet(*words: str) -> StdioServerParameters:
    """The command of a puppet; `-S` and `-E` make it start sooner."""
    return StdioServerParameters(command=sys.executable, args=["-S", "-E", str(PUPPET), *words])


async def until(happened: Callable[[], Any], seconds: float = 20.0) -> None:
    """Waits until it is so."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 - what happens in other processes sets no event
            await asyncio.sleep(0.01)


def lives(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children() -> int:
    """How many children this process has, zombies included."""
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return sum(len((task / "children").read_text("ascii").split()) for task in tasks)


def descriptors() -> int:
    """How many files, pipes and sockets this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def text(answer: Any) -> str:
    """The text of a tool's answer."""
    assert isinstance(answer, mcp_types.CallToolResult)
    return "".join(part.text for part in answer.content if isinstance(part, mcp_types.TextContent))
