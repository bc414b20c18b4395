"""Runs a server until its client leaves or the process is told to stop. The host has entered the source before."""

from __future__ import annotations

from typing import Any

import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from starlette.types import ASGIApp

GRACE = 5
"""Seconds that calls under way have to end when the process is told to stop."""


async def serve_stdio(server: Server[Any]) -> None:
    """Serves one client over standard input and output until it closes its side.

    What other code prints goes to standard error meanwhile.
    """
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


async def serve_http(app: ASGIApp, host: str, port: int) -> None:
    """Serves over HTTP until the process gets SIGINT or SIGTERM; calls under way then have a few seconds to end."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        lifespan="on",
        timeout_graceful_shutdown=GRACE,
        server_header=False,
    )
    await uvicorn.Server(config).serve()
