"""A shop's tools in a Pydantic AI agent: the order waits for a yes, as a deferred tool. The model is scripted."""

import asyncio

from pydantic_ai import Agent, DeferredToolRequests, ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from mcpbridge import Caller, RestSource, as_pydantic_ai, guarded
from mcpbridge.demo.local import description, running

ORDER = {"isbn": "9780141439518", "customer": {"name": "Ada"}}


def model(messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
    """Stands in for a language model: it orders, then says how that went."""
    if len(messages) == 1:
        return ModelResponse(parts=[ToolCallPart("place_order", ORDER)])
    return ModelResponse(parts=[TextPart(f"The shop told me: {messages[-1].parts[0]}")])


async def main() -> None:
    with running() as url:
        async with guarded(RestSource.from_openapi(description(), base_url=url)) as shop:
            tools = as_pydantic_ai(shop, Caller(user="ada"))
            agent = Agent(FunctionModel(model), toolsets=[tools], output_type=[str, DeferredToolRequests])
            run = await agent.run("Order Pride and Prejudice.")
            asked = run.output
            assert isinstance(asked, DeferredToolRequests)
            for question in asked.metadata.values():
                print(question["message"])
            yes = asked.build_results(approve_all=True, metadata=asked.metadata)
            print((await agent.run(message_history=run.all_messages(), deferred_tool_results=yes)).output)


asyncio.run(main())
