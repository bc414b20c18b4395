"""A child process as an upstream: its own process group, a clean environment, bounded error output, killed at close.

The SDK starts it with `HOME`, `LOGNAME`, `PATH`, `SHELL`, `TERM`, `USER` and what `StdioServerParameters.env` adds; no
other variable of the gateway's reaches it. No shell is involved.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from mcp.client.stdio import StdioServerParameters, stdio_client


class Stderr(asyncio.Protocol):
    """The end of what a child wrote to its standard error, at most `most` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept = bytearray()

    def data_received(self, data: bytes) -> None:
        """Keeps the newest bytes."""
        self._kept += data
        del self._kept[: -self._most]

    def text(self) -> str:
        """What is kept, as text."""
        return self._kept.decode("utf-8", "replace")


@asynccontextmanager
async def stdio_streams(parameters: StdioServerParameters, stderr: Stderr) -> AsyncGenerator[Any]:
    """The read and write streams of a child that is started here and stopped at the end.

    Raises: OSError where it can't be started.
    """
    reading, writing = os.pipe()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: stderr, os.fdopen(reading, "rb", 0))
    errors = os.fdopen(writing, "w")
    try:
        async with stdio_client(parameters, errlog=errors) as streams:
            errors.close()  # the child has its own end, so the pipe ends with the child
            yield streams
    finally:
        errors.close()
        transport.close()
