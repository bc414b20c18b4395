"""The shelf as a child process: over stdio, or over HTTP at the port given. It says when the source was left."""

from __future__ import annotations

import asyncio
import sys

from shelf import Shelf, many

from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.lowlevel import to_server
from mcpbridge.server.run import serve_http, serve_stdio


async def main() -> None:
    try:
        async with Shelf(many(1200)) as source:
            server = to_server(source, name="shelf")
            if len(sys.argv) > 1:
                await serve_http(to_asgi(server), "127.0.0.1", int(sys.argv[1]))
            else:
                await serve_stdio(server)
    finally:
        sys.stderr.write("left\n")


if __name__ == "__main__":
    asyncio.run(main())
