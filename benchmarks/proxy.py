"""A call through an MCP upstream, and the listing of many upstreams.

`proxy.py upstream [many] PORT`, `ours URL PORT`, `listings URL`; and, in the peer's interpreter,
`theirs URL PORT [connected]`. All on uvloop.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Coroutine
from typing import Any

READS = {"readOnlyHint": True}
SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}, "limit": {"type": "integer"}}, "required": ["id"]}
NAME, ARGUMENTS = "tool_7", {"id": "7", "limit": 10}
OPTIONS = {"stateless_http": True, "json_response": True}


async def upstream(port: int, count: int) -> None:
    """The SDK's server alone, with so many tools that answer at once."""
    import mcp_types
    from mcp.server.lowlevel import Server

    labels = mcp_types.ToolAnnotations(read_only_hint=True)
    tools = [
        mcp_types.Tool(
            name=f"tool_{number}", description=f"Item of kind {number}.", input_schema=SCHEMA, annotations=labels
        )
        for number in range(count)
    ]
    schemas = {tool.name: tool.input_schema for tool in tools}

    async def listed(context: Any, params: Any) -> Any:
        return mcp_types.ListToolsResult(tools=tools)

    async def called(context: Any, params: Any) -> Any:
        return mcp_types.CallToolResult(content=[mcp_types.TextContent(text='{"id":"7","name":"seven"}')])

    server = Server("upstream", on_list_tools=listed, on_call_tool=called, get_tool_input_schema=schemas.get)
    await _serve(server.streamable_http_app(**OPTIONS), port)


async def ours(url: str, port: int) -> None:
    """Everything that `guarded` puts around an upstream is on."""
    from mcpbridge import McpSource, guarded, to_asgi, to_server

    async with guarded(McpSource(url, trusted=True)) as source:
        await _serve(to_asgi(to_server(source, name="ours"), stateless=True), port)


async def theirs(url: str, port: int, *, connected: bool) -> None:
    from fastmcp import Client
    from fastmcp.server import create_proxy

    options = {"show_banner": False, "host": "127.0.0.1", "port": port, "log_level": "warning", **OPTIONS}
    if not connected:
        await create_proxy(url, name="theirs").run_http_async(**options)
        return
    async with Client(url) as client:
        await create_proxy(client, name="theirs").run_http_async(**options)


async def listings(url: str, count: int) -> tuple[float, float, float]:
    """Seconds of the first and of a repeated listing of so many upstreams, and those of the processor for the first."""
    from mcpbridge import ANYONE, McpSource, Router

    async with Router({f"up{number}": McpSource(url) for number in range(count)}) as router:
        begin, busy = time.perf_counter(), time.process_time()
        listed = len(await router.list_tools(ANYONE))
        first, busy = time.perf_counter(), time.process_time() - busy
        assert len(await router.list_tools(ANYONE)) == listed == count * 100
        return first - begin, time.perf_counter() - first, busy


async def _serve(app: Any, port: int) -> None:
    import uvicorn

    await uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning")).serve()


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def main() -> None:
    what, rest = sys.argv[1], sys.argv[2:]
    if what == "upstream":
        _run(upstream(int(rest[-1]), 100 if len(rest) > 1 else 10))
    elif what == "ours":
        _run(ours(rest[0], int(rest[1])))
    elif what == "listings":
        print(json.dumps(_run(listings(rest[0], 50))))
    else:
        _run(theirs(rest[0], int(rest[1]), connected="connected" in rest))


if __name__ == "__main__":
    main()
