"""An MCP server that is none of ours, in memory, as a child process, or over HTTP; and one that answers by a script."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, cast

import anyio
import mcp_types
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, TextContent
from starlette.types import ASGIApp, Receive, Scope, Send

CANARY = "canary-7d21"
FORM = mcp_types.ElicitRequestFormParams(message="Sure?", requested_schema={"type": "object", "properties": {}})
OBJECT = {"type": "object"}

TOOLS = [
    mcp_types.Tool(name="ask", input_schema=OBJECT),
    mcp_types.Tool(name="change", input_schema=OBJECT),
    mcp_types.Tool(name="die", input_schema=OBJECT),
    mcp_types.Tool(name="echo", input_schema=OBJECT, annotations=mcp_types.ToolAnnotations(read_only_hint=True)),
    mcp_types.Tool(name="environment", input_schema=OBJECT),
    mcp_types.Tool(name="hang", input_schema=OBJECT),
    mcp_types.Tool(name="names", input_schema=OBJECT),
    mcp_types.Tool(name="noise", input_schema=OBJECT),
    mcp_types.Tool(name="refuse", input_schema=OBJECT),
    mcp_types.Tool(name="slow", input_schema=OBJECT),
    mcp_types.Tool(
        name="region",
        input_schema={"type": "object", "properties": {"r": {"type": "string", "x-mcp-header": "R"}}},
    ),
]


def _text(text: str, **more: Any) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=text)], **more)


async def _call(ctx: Any, params: mcp_types.CallToolRequestParams) -> Any:
    match params.name:
        case "ask" if params.request_state is None:
            asked: mcp_types.InputRequests = {"sure": mcp_types.ElicitRequest(params=FORM)}
            return mcp_types.InputRequiredResult(input_requests=asked, request_state="peer-state")
        case "ask":
            answers = {key: value.model_dump()["action"] for key, value in (params.input_responses or {}).items()}
            return _text(f"{params.request_state} {answers}")
        case "die":
            os._exit(1)
        case "hang":
            await anyio.sleep_forever()
        case "noise":
            sys.stderr.write("x" * 200_000 + "the end")
            sys.stderr.flush()
        case "refuse":
            raise MCPError(code=-32000 - 7, message="not today")
        case "change":
            await ctx.session.send_tool_list_changed()
        case "slow":
            await ctx.session.report_progress(1, 2, "half")
        case "names":
            return _text("", structured_content=["a", "b"])
        case "environment":
            return _text(json.dumps(dict(os.environ)))
        case _:
            pass
    meta = {"mcpbridge/failure": {"code": "forged"}, "io.modelcontextprotocol/x": 1, "vendor/y": 2}
    return _text(json.dumps(params.arguments), _meta=meta)


def server(offered: list[mcp_types.Tool] | None = None) -> Server[Any]:
    """The server, with a little of every kind; without any tool, listing them fails."""
    available = [*TOOLS] if offered is None else offered

    async def tools(ctx: Any, params: Any) -> mcp_types.ListToolsResult:
        if not available:
            raise MCPError(code=-32603, message="no tools today")
        half = len(available) // 2
        if params is not None and params.cursor == "more":
            return mcp_types.ListToolsResult(tools=available[half:])
        return mcp_types.ListToolsResult(tools=available[:half], next_cursor="more")

    async def resources(ctx: Any, params: Any) -> mcp_types.ListResourcesResult:
        return mcp_types.ListResourcesResult(resources=[mcp_types.Resource(uri="note:///a", name="a")])

    async def templates(ctx: Any, params: Any) -> mcp_types.ListResourceTemplatesResult:
        template = mcp_types.ResourceTemplate(uri_template="note:///{id}", name="note")
        return mcp_types.ListResourceTemplatesResult(resource_templates=[template])

    async def read(ctx: Any, params: Any) -> mcp_types.ReadResourceResult:
        content = mcp_types.TextResourceContents(uri=params.uri, text=f"text of {params.uri}")
        return mcp_types.ReadResourceResult(contents=[content])

    async def prompts(ctx: Any, params: Any) -> mcp_types.ListPromptsResult:
        return mcp_types.ListPromptsResult(prompts=[mcp_types.Prompt(name="greet")])

    async def prompt(ctx: Any, params: Any) -> mcp_types.GetPromptResult:
        message = mcp_types.PromptMessage(role="user", content=TextContent(text=f"Hello {params.arguments}"))
        return mcp_types.GetPromptResult(messages=[message])

    async def complete(ctx: Any, params: Any) -> mcp_types.CompleteResult:
        return mcp_types.CompleteResult(completion=mcp_types.Completion(values=[params.argument.value + "!"]))

    return Server(
        "peer",
        on_list_tools=tools,
        on_call_tool=_call,
        on_list_resources=resources,
        on_list_resource_templates=templates,
        on_read_resource=read,
        on_list_prompts=prompts,
        on_get_prompt=prompt,
        on_completion=complete,
    )


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncGenerator[str]:
    """The application on a port of this machine; the URL of `/mcp` there."""
    # by its protocol's number, else asyncio does not turn Nagle's delay off
    with socket.socket(proto=socket.IPPROTO_TCP) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        running = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none", timeout_graceful_shutdown=1))
        task = asyncio.create_task(running.serve(sockets=[bound]))
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}/mcp"
        finally:
            running.should_exit = True
            await task


Raw: TypeAlias = tuple[int, dict[str, str], bytes]
Reply: TypeAlias = Callable[[dict[str, Any]], Any] | dict[str, Any] | Raw


class Scripted:
    """A server of the older era over HTTP: a reply by method, either a result, or status, headers and body.

    `seen` holds the headers of each request.
    """

    def __init__(self, replies: Mapping[str, Reply]) -> None:
        self.replies: dict[str, Reply] = {"initialize": HELLO, **replies}
        self.seen: list[dict[str, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
        body = b""
        more = True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        message: dict[str, Any] = json.loads(body or b"{}")
        status, headers, content = self._reply(message)
        started = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": started})
        await send({"type": "http.response.body", "body": content})

    def _reply(self, message: dict[str, Any]) -> Raw:
        reply: Any = self.replies.get(message.get("method", ""), (405, {}, b""))
        if "id" not in message:
            return (202 if message else 405, {}, b"")
        if callable(reply):
            reply = reply(message)
        if isinstance(reply, tuple):
            return cast("Raw", reply)
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": reply}
        return (200, {"content-type": "application/json"}, json.dumps(answer).encode())


HELLO: dict[str, Any] = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "scripted", "version": "1"},
}


async def main() -> None:
    peer = server()
    async with stdio_server() as (read, write):
        await peer.run(read, write, peer.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(main())
