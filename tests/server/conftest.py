"""The shelf behind a server, reached by real clients in both eras over all three transports."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from shelf import Connect, Shelf, served

from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.lowlevel import to_server

ERAS = ("legacy", "2026-07-28")
TRANSPORTS = ("memory", "stdio", "http")


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[f"{transport}-{era}" for transport in TRANSPORTS for era in ERAS])
def connect(request: pytest.FixtureRequest, shelf: Shelf) -> Connect:
    """Opens a client of one era over one transport; options go to the client. Over stdio the shelf is a child's own."""
    transport, _, era = str(request.param).partition("-")

    @asynccontextmanager
    async def connected(**options: Any) -> AsyncGenerator[Client]:
        if transport == "stdio":
            child = StdioServerParameters(command=sys.executable, args=[str(Path(__file__).with_name("child.py"))])
            async with Client(child, mode=era, **options) as client:
                yield client
        elif transport == "memory":
            async with Client(to_server(shelf, name="shelf"), mode=era, **options) as client:
                yield client
        else:
            async with (
                served(to_asgi(to_server(shelf, name="shelf"))) as url,
                Client(url, mode=era, **options) as client,
            ):
                yield client

    return connected
