"""Agents of three frameworks that nobody here wrote, with scripted models, work on a source of ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from agents import Agent as OpenAIAgent
from agents import RunConfig, Runner
from agents.testing import ScriptedModel, assistant_message, function_call
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType] - its stores are untyped
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph  # pyright: ignore[reportMissingTypeStubs] - it has none
from langgraph.prebuilt import ToolNode
from langgraph.types import Command
from pydantic_ai import (
    Agent,
    DeferredToolRequests,
    DeferredToolResults,
    ModelMessage,
    ModelResponse,
    TextPart,
    ToolApproved,
    ToolCallPart,
)
from pydantic_ai.messages import ModelRequest
from pydantic_ai.models.function import AgentInfo, FunctionModel
from words import ADA, Words, words

from mcpbridge import Answer, Call, Item, Wrapper, as_langchain, as_openai_agents, as_pydantic_ai

pytestmark = pytest.mark.req("GW-06")

REMOVE = ("remove", {"word": "cat", "reason": "old"})
GONE = [{"word": "cat", "reason": "old"}]
QUIET = RunConfig(tracing_disabled=True)


def pydantic_agent(source: Words, *calls: tuple[str, dict[str, Any]]) -> Agent[None, str | DeferredToolRequests]:
    """An agent whose model makes these calls one by one, and then says done."""

    def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        turn = sum(isinstance(message, ModelResponse) for message in messages)
        if turn >= len(calls):
            return ModelResponse(parts=[TextPart("done")])
        name, arguments = calls[turn]
        assert name in {tool.name for tool in info.function_tools}
        return ModelResponse(parts=[ToolCallPart(name, arguments, tool_call_id=f"call-{turn}")])

    return Agent(
        FunctionModel(model),
        toolsets=[as_pydantic_ai(source.source, ADA)],
        output_type=[str, DeferredToolRequests],
    )


def returned(messages: Sequence[ModelMessage]) -> list[Any]:
    """What the model was told of its calls."""
    parts: list[Any] = [part for message in messages if isinstance(message, ModelRequest) for part in message.parts]
    return [part.content for part in parts if part.part_kind in ("tool-return", "retry-prompt")]


async def test_pydantic_ai_lists_and_calls() -> None:
    agent = pydantic_agent(words(), ("look_up", {"word": "cat"}))

    result = await agent.run("go")

    assert result.output == "done"
    assert json.loads(returned(result.all_messages())[0]) == {"word": "cat", "config": 3}


@pytest.mark.parametrize("kept", [True, False])
async def test_pydantic_ai_defers_a_write_and_runs_it_after_a_yes(kept: bool) -> None:
    source = words()
    agent = pydantic_agent(source, REMOVE)
    asked = await agent.run("go")
    assert isinstance(asked.output, DeferredToolRequests)
    assert "remove" in asked.output.metadata["call-0"]["message"]
    assert source.removed == []

    metadata = asked.output.metadata if kept else None
    results = asked.output.build_results(approve_all=True, metadata=metadata)
    done = await agent.run(message_history=asked.all_messages(), deferred_tool_results=results)

    assert done.output == "done"
    assert source.removed == GONE
    assert len(await source.approvals.waiting()) == (0 if kept else 1)


async def test_pydantic_ai_gives_a_yes_to_nothing_but_what_was_shown() -> None:
    source = words()
    agent = pydantic_agent(source, REMOVE)
    asked = await agent.run("go")
    assert isinstance(asked.output, DeferredToolRequests)

    other = ToolApproved(override_args={"word": "dog"})
    results = DeferredToolResults(approvals={"call-0": other}, metadata=asked.output.metadata)
    done = await agent.run(message_history=asked.all_messages(), deferred_tool_results=results)

    assert source.removed == []
    assert "approval_invalid" in str(returned(done.all_messages()))


async def test_pydantic_ai_runs_nothing_after_a_no() -> None:
    source = words()
    agent = pydantic_agent(source, REMOVE)
    asked = await agent.run("go")
    assert isinstance(asked.output, DeferredToolRequests)

    results = asked.output.build_results(approvals={"call-0": False})
    done = await agent.run(message_history=asked.all_messages(), deferred_tool_results=results)

    assert done.output == "done"
    assert source.removed == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("look_up", "invalid_arguments"),
        ("break_down", "function_failed: 'break_down' failed"),
        ("question", "input_required"),
    ],
)
async def test_every_framework_tells_a_failure_to_its_model(name: str, told: str) -> None:
    for work in (by_pydantic_ai, by_openai_agents, by_langchain):
        text = await work(words(), (name, {}))
        assert told in text, work.__name__
        assert "secret" not in text


async def by_pydantic_ai(source: Words, call: tuple[str, dict[str, Any]]) -> str:
    return str(returned((await pydantic_agent(source, call).run("go")).all_messages()))


async def by_openai_agents(source: Words, call: tuple[str, dict[str, Any]]) -> str:
    result = await Runner.run(await openai_agent(source, call), "go", run_config=QUIET)
    return str([item.output for item in result.new_items if item.type == "tool_call_output_item"])


async def by_langchain(source: Words, call: tuple[str, dict[str, Any]]) -> str:
    result = await (await langchain_agent(source, call)).ainvoke({"messages": "go"}, THREAD)
    message = next(each for each in result["messages"] if each.type == "tool")
    assert message.status == "error"
    return str(message.content)


async def openai_agent(source: Words, *calls: tuple[str, dict[str, Any]]) -> OpenAIAgent[Any]:
    steps = [
        [function_call(name, json.dumps(arguments), call_id=f"call-{turn}")]
        for turn, (name, arguments) in enumerate(calls)
    ]
    model = ScriptedModel([*steps, [assistant_message("done")]])
    return OpenAIAgent(name="agent", model=model, tools=[*await as_openai_agents(source.source, ADA)])


async def test_openai_agents_lists_and_calls_in_strict_mode() -> None:
    tools = {tool.name: tool for tool in await as_openai_agents(words().source, ADA)}
    assert tools["look_up"].strict_json_schema
    assert tools["look_up"].params_json_schema["required"] == ["word", "config"]

    agent = await openai_agent(words(), ("look_up", {"word": "cat", "config": None}))
    result = await Runner.run(agent, "go", run_config=QUIET)

    outputs = [item.output for item in result.new_items if item.type == "tool_call_output_item"]
    assert result.final_output == "done"
    assert json.loads(outputs[0]) == {"word": "cat", "config": 3}


@pytest.mark.parametrize("said", ["approve", "reject"])
async def test_openai_agents_interrupts_for_a_write_and_obeys_the_decision(said: str) -> None:
    source = words()
    agent = await openai_agent(source, REMOVE)
    asked = await Runner.run(agent, "go", run_config=QUIET)
    assert [item.name for item in asked.interruptions] == ["remove"]
    assert source.removed == []

    state = asked.to_state()
    decide: Callable[..., None] = getattr(state, said)
    decide(asked.interruptions[0])
    done = await Runner.run(agent, state, run_config=QUIET)

    assert done.final_output == "done"
    assert source.removed == (GONE if said == "approve" else [])


async def test_openai_agents_asks_nobody_about_a_call_that_can_not_run() -> None:
    source = words()
    result = await Runner.run(await openai_agent(source, ("remove", {"word": 7})), "go", run_config=QUIET)

    assert result.interruptions == []
    assert source.removed == []


async def test_openai_agents_runs_nothing_that_asks_where_it_was_told_not_to_interrupt() -> None:
    source = words()
    tools = await as_openai_agents(source.source, ADA, asks=False)
    steps = [[function_call("remove", json.dumps(REMOVE[1]), call_id="1")], [assistant_message("done")]]
    agent: OpenAIAgent[Any] = OpenAIAgent(name="agent", model=ScriptedModel(steps), tools=[*tools])
    result = await Runner.run(agent, "go", run_config=QUIET)

    outputs = [str(item.output) for item in result.new_items if item.type == "tool_call_output_item"]
    assert outputs[0].startswith("approval_required")
    assert source.removed == []


THREAD: Any = {"configurable": {"thread_id": "1"}}


class Scripted(BaseChatModel):
    """A chat model that gives these answers one by one."""

    answers: list[AIMessage]

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        turn = sum(message.type == "ai" for message in messages)
        return ChatResult(generations=[ChatGeneration(message=self.answers[turn])])

    def bind_tools(self, *args: Any, **kwargs: Any) -> Any:
        return self

    @property
    def _llm_type(self) -> str:
        return "scripted"


async def langchain_agent(source: Words, *calls: tuple[str, dict[str, Any]]) -> Any:
    answers = [
        AIMessage("", tool_calls=[ToolCall(name=name, args=arguments, id=f"call-{turn}")])
        for turn, (name, arguments) in enumerate(calls)
    ]
    tools = await as_langchain(source.source, ADA)
    model = Scripted(answers=[*answers, AIMessage("done")])
    return cast("Any", create_agent(model, tools, checkpointer=InMemorySaver()))


async def test_langchain_lists_and_calls_with_arguments_that_it_keeps_for_itself() -> None:
    tools = {tool.name: tool for tool in await as_langchain(words().source, ADA)}
    assert [*tools["look_up"].args] == ["word", "config_"]

    agent = await langchain_agent(words(), ("look_up", {"word": "cat", "config_": 5}))
    result = await agent.ainvoke({"messages": "go"}, THREAD)

    assert result["messages"][-1].content == "done"
    assert json.loads(result["messages"][2].content) == {"word": "cat", "config": 5}


@pytest.mark.parametrize(("said", "runs"), [("approve", True), ("reject", False)])
async def test_langgraph_interrupts_for_a_write_and_obeys_the_decision(said: str, runs: bool) -> None:
    source = words()
    agent = await langchain_agent(source, REMOVE)
    asked = await agent.ainvoke({"messages": "go"}, THREAD)
    shown = asked["__interrupt__"][0].value
    assert (shown["type"], shown["name"], shown["args"]) == ("tool_approval", *REMOVE)
    assert "Allow this call of remove?" in shown["description"]
    assert source.removed == []

    done = await agent.ainvoke(Command(resume={"type": said, "id": shown["id"]}), THREAD)

    assert done["messages"][-1].content == "done"
    assert source.removed == (GONE if runs else [])
    assert runs or "approval_denied" in done["messages"][2].content


@pytest.mark.parametrize("said", [True, {"type": "approve"}, {"type": "approve", "id": "0123456789abcdef"}])
async def test_a_yes_that_does_not_name_the_question_of_langgraph_is_none(said: Any) -> None:
    source = words()
    agent = await langchain_agent(source, REMOVE)
    await agent.ainvoke({"messages": "go"}, THREAD)

    done = await agent.ainvoke(Command(resume=said), THREAD)

    assert "approval_" in done["messages"][2].content
    assert source.removed == []


class Turns(Wrapper):
    """Lets the calls of "cat" come first, and later those of "dog"."""

    first = "cat"

    async def call_item(self, item: Item | None, call: Call) -> Answer:
        for _ in range(0 if call.arguments["word"] == self.first else 50):
            await asyncio.sleep(0)
        return await self.inner.call(call)


@pytest.mark.parametrize("others", ["dog", "cat"])
async def test_a_yes_to_one_call_of_a_langgraph_node_runs_no_other_and_nothing_twice(others: str) -> None:
    source = words()
    turns = Turns(source.source)
    graph: Any = StateGraph(MessagesState)
    graph.add_node("tools", ToolNode(await as_langchain(turns, ADA)))
    graph.add_edge(START, "tools")
    agent = graph.compile(checkpointer=InMemorySaver())
    calls = [ToolCall(name="remove", args={"word": word, "reason": "old"}, id=f"{word}-{turn}")
             for turn, word in enumerate(("cat", others))]  # fmt: skip
    asked = await agent.ainvoke({"messages": [AIMessage("", tool_calls=calls)]}, THREAD)
    shown = asked["__interrupt__"][0].value

    turns.first = "dog"
    done = await agent.ainvoke(Command(resume={"type": "approve", "id": shown["id"]}), THREAD)

    assert shown["args"] == GONE[0]
    assert source.removed == GONE
    assert "__interrupt__" not in done
    assert "another call beside it asks" in str(done["messages"])


async def test_langchain_outside_of_a_graph_says_that_a_yes_is_needed() -> None:
    source = words()
    remove = next(tool for tool in await as_langchain(source.source, ADA) if tool.name == "remove")

    assert "approval_required" in await remove.ainvoke({"word": "cat"})
    assert source.removed == []


async def test_a_request_that_waits_in_a_queue_is_asked_for_and_runs_when_it_was_decided_there() -> None:
    source = words()
    agent = pydantic_agent(source, REMOVE)
    asked = await agent.run("go")
    assert isinstance(asked.output, DeferredToolRequests)
    waiting = (await source.approvals.waiting())[0]
    await source.approvals.decide(waiting.id, approved=False, by="bob")

    results = asked.output.build_results(approve_all=True, metadata=asked.output.metadata)
    done = await agent.run(message_history=asked.all_messages(), deferred_tool_results=results)

    assert "approval_denied" in str(returned(done.all_messages()))
    assert source.removed == []
