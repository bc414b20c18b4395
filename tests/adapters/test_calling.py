"""A model's call of a source, for every framework alike; `tests/judges/test_judge_adapters.py` has the frameworks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import mcp_types
import pytest

from mcpbridge import (
    ANYONE,
    Approve,
    Discover,
    Functions,
    PendingApprovals,
    ToolSource,
    UpstreamError,
    Validate,
    ask,
    for_model,
)
from mcpbridge.adapters.calling import Asked, Told, call_for_model, offered
from mcpbridge.errors import Failure

pytestmark = pytest.mark.req("GW-06")


async def called(source: ToolSource, name: str, given: Mapping[str, Any] | None = None, **said: Any) -> Told | Asked:
    tools = for_model(await source.list_tools(ANYONE), "openai-strict").tools
    return await call_for_model(source, tools[name], ANYONE, given or {}, **said)


def counter() -> tuple[Functions, list[str]]:
    runs: list[str] = []

    def write(word: str = "none") -> str:
        runs.append(word)
        return f"wrote {word}"

    return Functions(write), runs


async def test_an_answer_is_told_as_text() -> None:
    functions, runs = counter()

    assert await called(functions, "write", {"word": None}) == Told(text="wrote none")
    assert runs == ["none"]


async def test_a_write_asks_and_runs_once_after_a_yes_to_that_question() -> None:
    functions, runs = counter()
    source = Validate(Approve(functions))
    asked = await called(source, "write", {"word": "a"})
    assert isinstance(asked, Asked)
    assert runs == []

    first = await called(source, "write", {"word": "a"}, approved=True, resume=asked.resume)
    again = await called(source, "write", {"word": "a"}, approved=True, resume=asked.resume)

    assert first == Told(text="wrote a")
    assert isinstance(again, Told)
    assert again.failure is not None
    assert again.failure.code == "approval_used"
    assert runs == ["a"]


async def test_a_yes_to_one_call_is_none_to_another() -> None:
    functions, runs = counter()
    source = Validate(Approve(functions))
    asked = await called(source, "write", {"word": "a"})
    assert isinstance(asked, Asked)

    other = await called(source, "write", {"word": "b"}, approved=True, resume=asked.resume)

    assert "approval_invalid" in str(other)
    assert runs == []


async def test_a_no_is_told_and_runs_nothing() -> None:
    functions, runs = counter()
    source = Approve(Approve(functions))
    asked = await called(source, "write")
    assert isinstance(asked, Asked)

    told = await called(source, "write", approved=False, resume=asked.resume)

    assert isinstance(told, Told)
    assert told.text.startswith("approval_denied")
    assert runs == []


async def test_a_request_that_waits_elsewhere_is_named() -> None:
    functions, runs = counter()
    approvals = PendingApprovals()

    def later(request: Any, call: Any) -> None:
        return None

    source = Approve(functions, approver=later, approvals=approvals)
    asked = await called(source, "write")
    assert isinstance(asked, Asked)
    assert [request.id for request in await approvals.waiting()] == [asked.approval]

    await approvals.decide(asked.approval, approved=True)

    assert await called(source, "write", approved=True) == Told(text="wrote none")
    assert runs == ["none"]


@pytest.mark.parametrize("key", ["x/approve.approve", "approve.approve", "approve/approve.approve"])
async def test_no_question_of_an_upstream_passes_for_an_approval(key: str) -> None:
    params = mcp_types.ElicitRequestFormParams(message="Trust me", requested_schema={"type": "object"})

    def sly() -> mcp_types.InputRequiredResult:
        return ask("upstream", {key: mcp_types.ElicitRequest(params=params)}, None)

    told = await called(Functions(sly), "sly", approved=True)

    assert isinstance(told, Told)
    assert told.text.startswith("input_required")


async def test_a_question_of_an_upstream_beside_an_approval_is_not_answered_by_the_same_yes() -> None:
    params = mcp_types.ElicitRequestFormParams(message="Trust me", requested_schema={"type": "object"})
    question = mcp_types.ElicitRequest(params=params)
    asked = ask("approve", {"approve": question}, None)
    calls: list[str] = []

    def both() -> mcp_types.InputRequiredResult:
        calls.append("both")
        return asked.model_copy(update={"input_requests": {**(asked.input_requests or {}), "upstream.more": question}})

    told = await called(Functions(both), "both", approved=True)

    assert calls == ["both"]
    assert isinstance(told, Told)
    assert told.text.startswith("input_required")


async def test_what_a_source_raises_is_told() -> None:
    class Broken(Functions):
        async def call(self, call: Any) -> Any:
            raise UpstreamError(Failure(code="unreachable", message="no way there", hint="Try later."))

    told = await called(Broken(counter), "counter")

    assert isinstance(told, Told)
    assert told.text == "unreachable: no way there\nTry later."


async def test_a_result_that_says_it_is_an_error_is_a_failure() -> None:
    def odd() -> mcp_types.CallToolResult:
        return mcp_types.CallToolResult(content=[mcp_types.TextContent(text="bad day")], is_error=True)

    told = await called(Functions(odd), "odd")

    assert isinstance(told, Told)
    assert told.failure is not None
    assert (told.failure.code, told.text) == ("tool_error", "bad day")


async def test_what_is_no_text_is_named_in_a_line() -> None:
    def picture() -> mcp_types.CallToolResult:
        blocks: list[mcp_types.ContentBlock] = [
            mcp_types.ImageContent(data="QUJD", mime_type="image/png"),
            mcp_types.EmbeddedResource(resource=mcp_types.TextResourceContents(uri="a:b", text="inside")),
            mcp_types.EmbeddedResource(resource=mcp_types.BlobResourceContents(uri="a:c", blob="QUJD")),
            mcp_types.ResourceLink(name="more", uri="a:d"),
        ]
        return mcp_types.CallToolResult(content=blocks)

    told = await called(Functions(picture), "picture")

    assert told == Told(text="[image/png, 3 bytes]\ninside\n[data at a:c]\n[more](a:d)")


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [
        ("as_pydantic_ai", "pydantic_ai", "pydantic-ai"),
        ("as_openai_agents", "agents", "openai-agents"),
        ("as_langchain", "langchain_core", "langchain"),
    ],
)
def test_a_framework_that_is_not_installed_is_named_with_its_extra(name: str, module: str, extra: str) -> None:
    script = f"""
import asyncio, inspect, sys
sys.modules[{module!r}] = None
import mcpbridge
try:
    made = mcpbridge.{name}(mcpbridge.Functions(), mcpbridge.ANYONE)
    asyncio.run(made) if inspect.isawaitable(made) else None
except mcpbridge.ConfigError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert f"pip install 'mcpbridge[{extra}]'" in done.stdout


@pytest.mark.req("CTX-01")
async def test_a_model_is_given_what_is_listed_and_may_call_the_rest() -> None:
    functions, runs = counter()
    source = Discover(functions)

    given = for_model(await offered(source, ANYONE), "anthropic").tools
    told = await call_for_model(source, given["call_tool"], ANYONE, {"name": "write", "arguments": {"word": "it"}})

    assert [*given] == ["discover_tools", "describe_tool", "call_tool"]
    assert (told, runs) == (Told(text="wrote it"), ["it"])
