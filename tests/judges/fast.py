"""FastMCP's client, in an environment of its own: lists, reads, and writes after its person said yes."""

import asyncio
import json
import sys
from importlib import import_module
from typing import Any

Client: Any = import_module("fastmcp").Client  # it is not installed where this file is checked


async def yes(message: str, response_type: Any, params: Any, context: Any) -> Any:
    return {"approve": True}


async def main(url: str) -> None:
    async with Client(url, elicitation_handler=yes) as client:
        tools = [tool.name for tool in await client.list_tools()]
        read = await client.call_tool_mcp("read_note", {"id": 1})
        write = await client.call_tool_mcp("drop_note", {"id": 1})
    shown = [each.model_dump(by_alias=True, mode="json", exclude_none=True) for each in (read, write)]
    sys.stdout.write(json.dumps({"tools": tools, "read": shown[0], "write": shown[1]}))


asyncio.run(main(sys.argv[1]))
