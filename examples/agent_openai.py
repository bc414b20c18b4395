"""A shop's tools in the OpenAI Agents SDK: the order interrupts the run until a yes. The model is scripted."""

import asyncio
import json

from agents import Agent, RunConfig, Runner
from agents.testing import ScriptedModel, assistant_message, function_call

from mcpbridge import Caller, RestSource, as_openai_agents, guarded
from mcpbridge.demo.local import description, running

ORDER = {"isbn": "9780141439518", "customer": {"name": "Ada", "email": None}, "quantity": None}
QUIET = RunConfig(tracing_disabled=True)


async def main() -> None:
    with running() as url:
        async with guarded(RestSource.from_openapi(description(), base_url=url)) as shop:
            tools = await as_openai_agents(shop, Caller(user="ada"))
            order = function_call("place_order", json.dumps(ORDER), call_id="1")
            model = ScriptedModel([[order], [assistant_message("Ordered.")]])
            agent = Agent(name="shopper", model=model, tools=[*tools])
            run = await Runner.run(agent, "Order Pride and Prejudice.", run_config=QUIET)
            state = run.to_state()
            for question in run.interruptions:
                print("asked:", question.name, question.arguments)
                state.approve(question)
            run = await Runner.run(agent, state, run_config=QUIET)
            print([item.output for item in run.new_items if item.type == "tool_call_output_item"])
            print(run.final_output)


asyncio.run(main())
