"""A git server, the everything server of npm and a REST API side by side, served to a client in memory.

Give the command that starts the everything server, or none where it is not installed:
`python mixed_gateway.py npx -y @modelcontextprotocol/server-everything`
"""

import asyncio
import sys

from mcp import Client, StdioServerParameters

from mcpbridge import ANYONE, McpSource, RestSource, Router, guarded, to_server
from mcpbridge.demo.local import description, running

GIT = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server_git"])


async def main() -> None:
    with running() as shop:
        sources = Router({
            "git": McpSource(GIT),
            "shop": RestSource.from_openapi(description(), base_url=shop),
        })  # fmt: skip
        if everything := sys.argv[1:]:
            sources.put("everything", McpSource(StdioServerParameters(command=everything[0], args=everything[1:])))
        async with guarded(sources) as gateway, Client(to_server(gateway, name="mixed")) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            for slug, status in (await sources.statuses(ANYONE)).items():
                print(f"{slug}: {status.state}, {sum(name.startswith(slug) for name in tools)} tools")
            answer = await client.call_tool("shop__get_book", {"isbn": "9780141439518"})
            print(answer.structured_content)


asyncio.run(main())
