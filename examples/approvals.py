"""One gateway, three ways to a yes: a rule of the house, a form at the MCP client, a queue that any replica decides."""

import asyncio

from mcp import Client
from mcp_types import ElicitRequestParams, ElicitResult

import mcpbridge as mb
from mcpbridge.demo.local import description, running


def house(request: mb.ApprovalRequest, call: mb.Call) -> mb.Decision | None:
    small = request.tool == "place_order" and call.arguments.get("quantity", 1) < 3
    return mb.Decision(approved=True, by="the house") if small else None  # the next is asked


async def person(context: object, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001 - a signature of the SDK
    print(params.message)
    return ElicitResult(action="decline")


async def main() -> None:
    order = mb.Call(name="place_order", arguments={"isbn": "9780141439518", "customer": {"name": "Ada"}})
    remove = mb.Call(name="remove_book", arguments={"isbn": "9780141439518"})
    with running() as url:
        async with mb.open_store(":memory:") as store:
            approvals = mb.Approvals(store)
            approver = mb.first_of(house, mb.ask_client, mb.Queue(approvals))
            source = mb.RestSource.from_openapi(description(), base_url=url)
            async with mb.guarded(source, approver=approver, scope="shop") as shop:
                print("house:", mb.error_of(await shop.call_tool(order)))
                async with Client(mb.to_server(shop, name="shop"), elicitation_callback=person) as client:
                    print("form:", mb.error_of(await client.call_tool("remove_book", dict(remove.arguments))))
                print("queue:", waiting := mb.error_of(await shop.call_tool(remove)))
                await approvals.decide(waiting.details["approval"] if waiting else "", approved=True, by="carol")
                print("then:", mb.error_of(await shop.call_tool(remove)))


asyncio.run(main())
