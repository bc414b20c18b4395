"""A shop's tools in LangGraph: the order is an interrupt until a yes. No model: a graph of the tools alone."""

import asyncio
from typing import Any

from langchain_core.messages import AIMessage, ToolCall
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph  # pyright: ignore[reportMissingTypeStubs] - it has none
from langgraph.prebuilt import ToolNode
from langgraph.types import Command

from mcpbridge import Caller, RestSource, as_langchain, guarded
from mcpbridge.demo.local import description, running

ORDER = ToolCall(name="place_order", args={"isbn": "9780141439518", "customer": {"name": "Ada"}}, id="1")
THREAD: Any = {"configurable": {"thread_id": "1"}}


async def main() -> None:
    with running() as url:
        async with guarded(RestSource.from_openapi(description(), base_url=url)) as shop:
            graph: Any = StateGraph(MessagesState)
            graph.add_node("tools", ToolNode(await as_langchain(shop, Caller(user="ada"))))
            graph.add_edge(START, "tools")
            agent = graph.compile(checkpointer=InMemorySaver())
            run = await agent.ainvoke({"messages": [AIMessage("", tool_calls=[ORDER])]}, THREAD)
            question = run["__interrupt__"][0].value
            print(question["description"])
            run = await agent.ainvoke(Command(resume={"type": "approve", "id": question["id"]}), THREAD)
            print(run["messages"][-1].content)


asyncio.run(main())
