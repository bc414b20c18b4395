"""The peer, FastMCP, in its own interpreter: `theirs.py convert FILE`, `stdio FILE`, `http FILE PORT [filter]`."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import httpx2
from fastmcp import Client, FastMCP
from fastmcp.server.middleware import Middleware


class Filtering(Middleware):
    """What an agent may see, decided at each listing."""

    async def on_list_tools(self, context, call_next):  # the peer's own types are not here
        return [tool for tool in await call_next(context) if not tool.name.startswith("hidden")]


def make(document: dict) -> FastMCP:
    servers = document.get("servers") or [{"url": "http://127.0.0.1:9"}]
    return FastMCP.from_openapi(document, client=httpx2.AsyncClient(base_url=servers[0]["url"]), name="peer")


async def convert(document: dict) -> float:
    begin = time.process_time()
    server = make(document)
    async with Client(server) as client:
        await client.list_tools()
        return time.process_time() - begin


def main() -> None:
    what, path = sys.argv[1:3]
    document = json.loads(Path(path).read_bytes())
    if what == "convert":
        print(json.dumps({"seconds": asyncio.run(convert(document))}))
        return
    server = make(document)
    if "filter" in sys.argv:
        server.add_middleware(Filtering())
    if what == "stdio":
        server.run("stdio", show_banner=False)
    else:
        options = {"json_response": True, "stateless_http": True, "log_level": "warning"}
        server.run("http", show_banner=False, host="127.0.0.1", port=int(sys.argv[3]), **options)


main()
