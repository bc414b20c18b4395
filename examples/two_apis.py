"""A gateway over two APIs: both side by side in one listing, writes ask, served to a client in memory.

Serve it over HTTP instead with `to_asgi(server)` under uvicorn, or over stdio with the command `mcpbridge serve`.
"""

import asyncio
from contextlib import ExitStack

import mcp

from mcpbridge import Approve, RestSource, Router, Validate, to_server
from mcpbridge.demo.local import description, running


async def main() -> None:
    with ExitStack() as shops:
        north, south = (shops.enter_context(running()) for _ in range(2))
        sources = {
            "north": RestSource.from_openapi(description(), base_url=north),
            "south": RestSource.from_openapi(description(), base_url=south),
        }
        gateway = Validate(Approve(Router(sources)))  # validate before a person is asked
        async with gateway, mcp.Client(to_server(gateway, name="shops")) as client:
            tools = (await client.list_tools()).tools
            print(len(tools), "tools:", ", ".join(tool.name for tool in tools[:3]), "…")
            answer = await client.call_tool("south__get_book", {"isbn": "9780141439518"})
            print(answer.structured_content)


asyncio.run(main())
