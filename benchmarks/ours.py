"""mcpbridge, and the SDK alone, as contestants.

`ours.py convert FILE`, `import`, `sdk-import`, `http FILE PORT [filter]`, `bare FILE PORT`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

SMALL = {
    "openapi": "3.1.0",
    "info": {"title": "small", "version": "1"},
    "paths": {"/books": {"get": {"operationId": "list_books", "responses": {"200": {"description": "books"}}}}},
}


def convert(path: str) -> float:
    import mcpbridge

    words = json.loads(Path(path).read_bytes())
    _warm(mcpbridge)
    begin = time.process_time()
    operations = mcpbridge.read_operations(mcpbridge.Document.parse(words))
    tools = [mcpbridge.to_tool(operation, output_schema=True) for operation in operations]
    assert all(tool.input_schema for tool in tools)
    return time.process_time() - begin


def _warm(mcpbridge: Any) -> None:
    """Imports are P3's business: the peer's are not counted here either."""
    for operation in mcpbridge.read_operations(mcpbridge.Document.parse(SMALL)):
        mcpbridge.to_tool(operation)


def import_and_convert() -> float:
    text = json.dumps(SMALL)
    begin = time.process_time()
    import mcpbridge

    for operation in mcpbridge.read_operations(mcpbridge.Document.parse(text)):
        mcpbridge.to_tool(operation)
    return time.process_time() - begin


def import_sdk() -> float:
    begin = time.process_time()
    import mcp  # noqa: F401  # its import is what is measured

    return time.process_time() - begin


async def serve(path: str, port: int, *, filtering: bool) -> None:
    import mcpbridge
    from mcpbridge.build import guarded
    from mcpbridge.server.run import serve_http

    source = mcpbridge.RestSource.from_openapi(Path(path), base_url=_address(path))
    keep = (lambda tool, caller: not tool.name.startswith("hidden")) if filtering else None
    offered = guarded(source, keep=keep) if keep else guarded(source)
    async with offered:
        await serve_http(
            mcpbridge.to_asgi(mcpbridge.to_server(offered, name="ours"), stateless=True), "127.0.0.1", port
        )


def _address(path: str) -> str:
    """The description's own server: on this machine, so the host has to name it."""
    return json.loads(Path(path).read_bytes())["servers"][0]["url"]


async def bare(path: str, port: int) -> None:
    """The SDK's server with nothing around it, that lists ready-made tools on one page."""
    import mcp_types
    import uvicorn
    from mcp.server.lowlevel import Server

    import mcpbridge

    operations = mcpbridge.read_operations(mcpbridge.Document.parse(Path(path)))
    tools = [mcpbridge.to_tool(operation).to_mcp() for operation in operations]

    async def list_tools(context: Any, params: Any) -> Any:
        return mcp_types.ListToolsResult(tools=tools)

    app = Server("bare", on_list_tools=list_tools).streamable_http_app(stateless_http=True, json_response=True)
    await uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning")).serve()


def _run(serving: Coroutine[Any, Any, None]) -> None:
    """As `mcpbridge serve --http` does with the extra `fast`; the peer runs on the same loop."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serving)


def main() -> None:
    what, rest = sys.argv[1], sys.argv[2:]
    if what == "http":
        _run(serve(rest[0], int(rest[1]), filtering="filter" in rest))
    elif what == "bare":
        _run(bare(rest[0], int(rest[1])))
    else:
        measured = {"convert": lambda: convert(rest[0]), "import": import_and_convert, "sdk-import": import_sdk}[what]()
        print(json.dumps({"seconds": measured}))


main()
