"""A gateway before one MCP server, without a prefix: over HTTP at the port given, before the URL given.

With `legacy` as a third word it speaks the older protocol with that server.
"""

from __future__ import annotations

import asyncio
import sys

from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.lowlevel import to_server
from mcpbridge.server.run import serve_http
from mcpbridge.upstream.source import McpSource


async def main(port: int, url: str, mode: str = "auto") -> None:
    async with McpSource(url, mode=mode) as source:
        await serve_http(to_asgi(to_server(source, name="gateway")), "127.0.0.1", port)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
