"""The gateway that is judged: notes to read and to drop, over stdio, or over HTTP at the port given."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from mcp_types import CallToolResult, TextContent

from mcpbridge.errors import ToolNotFound
from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.lowlevel import to_server
from mcpbridge.server.run import serve_http, serve_stdio
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import Call, Caller, Item, Kind, Tool
from mcpbridge.wrap.approve import Approve

SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
NAMES = ("read_note", "drop_note", *(f"read_{n:04}" for n in range(1200)))


class Notes(ToolSource):
    """Two tools that do something, and enough of them for three pages."""

    def __init__(self) -> None:
        self.tools = {
            name: Tool(name=name, input_schema=SCHEMA, access="read" if name.startswith("read") else "write")
            for name in NAMES
        }

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        return [*self.tools.values()] if kind == "tool" else []

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        if kind != "tool" or key not in self.tools:
            raise ToolNotFound(key, kind)
        return self.tools[key]

    async def call(self, call: Call) -> Answer:
        await self.get("tool", call.name, call.caller)
        if call.name == "drop_note":
            return CallToolResult(content=[TextContent(text=f"dropped {call.arguments['id']}")])
        return CallToolResult(content=[], structured_content=[{"id": call.arguments["id"]}])


async def main() -> None:
    async with Approve(Notes()) as source:
        server = to_server(source, name="notes")
        if len(sys.argv) > 1:
            await serve_http(to_asgi(server), "127.0.0.1", int(sys.argv[1]))
        else:
            await serve_stdio(server)


if __name__ == "__main__":
    asyncio.run(main())
