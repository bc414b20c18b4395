"""The shelf as a child process, over stdio."""

from __future__ import annotations

import asyncio

from shelf import Shelf, many

from mcpbridge.server.lowlevel import to_server
from mcpbridge.server.run import serve_stdio


async def main() -> None:
    async with Shelf(many(1200)) as source:
        await serve_stdio(to_server(source, name="shelf"))


if __name__ == "__main__":
    asyncio.run(main())
