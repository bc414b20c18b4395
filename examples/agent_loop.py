"""Tools in an agent's loop without MCP: list, let the model choose, call; a write asks the host's own approver."""

import asyncio
from typing import Any

from mcpbridge import ANYONE, Approve, Call, Caller, RestSource, Validate, ask_host, error_of
from mcpbridge.demo.local import description, running
from mcpbridge.wrap.approval import ApprovalRequest


async def approver(request: ApprovalRequest, call: Call) -> bool:
    """The host decides, here by a rule; a person in a chat, a queue or a policy engine would do as well."""
    print("asked:", request.tool, dict(call.arguments))
    return bool(call.arguments.get("quantity", 1) < 3)


def model(turn: int) -> tuple[str, dict[str, Any]]:
    """Stands in for a language model that reads the tools' schemas and chooses."""
    order: dict[str, Any] = {"isbn": "9780141439518", "customer": {"name": "Ada"}}
    if turn == 0:
        return "list_books", {"search": "austen"}
    return "place_order", order | ({"quantity": 4} if turn == 2 else {})


async def main() -> None:
    with running() as url:
        shop = Validate(Approve(RestSource.from_openapi(description(), base_url=url), approver=ask_host(approver)))
        async with shop:
            schemas = {tool.name: tool.input_schema for tool in await shop.list_tools(ANYONE)}
            print(len(schemas), "schemas for the model")
            for turn in range(3):
                name, arguments = model(turn)
                answer = await shop.call_tool(Call(name=name, arguments=arguments, caller=Caller(user="ada")))
                failure = error_of(answer)
                print(f"{name}: {failure.code}" if failure else f"{name}: {answer.structured_content}")


asyncio.run(main())
