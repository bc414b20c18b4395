"""A server that is none of ours as a source: in memory, as a child process, over HTTP; in both eras."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mcp_types
import peer
import pytest
from mcp import StdioServerParameters

from mcpbridge.errors import ConfigError, InvalidArguments, ToolNotFound
from mcpbridge.net.limits import Limits
from mcpbridge.source.answer import error_of
from mcpbridge.tools import ANYONE, Call, ClientChannel, Prompt, Resource, Tool
from mcpbridge.upstream.source import McpSource

CHILD = StdioServerParameters(command=sys.executable, args=[str(Path(peer.__file__))])
PAIRS = [f"{transport} {mode}" for transport in ("memory", "stdio", "http") for mode in ("auto", "legacy")]


@pytest.fixture(params=PAIRS)
async def source(request: pytest.FixtureRequest) -> AsyncGenerator[McpSource]:
    transport, mode = str(request.param).split()
    async with opened(transport, mode=mode) as entered:
        yield entered


@asynccontextmanager
async def opened(transport: str, **options: Any) -> AsyncGenerator[McpSource]:
    if transport == "http":
        async with peer.listening(peer.server().streamable_http_app()) as url, McpSource(url, **options) as entered:
            yield entered
        return
    async with McpSource(peer.server() if transport == "memory" else CHILD, **options) as entered:
        yield entered


def _text(answer: Any) -> str:
    assert isinstance(answer, mcp_types.CallToolResult)
    return "".join(part.text for part in answer.content if isinstance(part, mcp_types.TextContent))


@pytest.mark.req("UP-01")
async def test_every_page_of_the_tools_is_listed(source: McpSource) -> None:
    tools = await source.list_tools(ANYONE)
    assert [tool.name for tool in tools] == [tool.name for tool in peer.TOOLS]


async def test_a_call_passes_arguments_on_and_the_result_back(source: McpSource) -> None:
    assert _text(await source.call(Call(name="echo", arguments={"a": [1, None]}))) == '{"a": [1, null]}'


async def test_metadata_comes_back_without_what_is_not_the_upstreams_to_say(source: McpSource) -> None:
    answer = await source.call(Call(name="echo"))
    assert (answer.meta or {}).get("vendor/y") == 2
    assert error_of(answer) is None
    assert not [key for key in answer.meta or {} if key.startswith("io.modelcontextprotocol")]


async def test_resources_prompts_and_completions_pass_through(source: McpSource) -> None:
    assert [item.key for item in await source.list("resource", ANYONE)] == ["note:///a"]
    assert [item.key for item in await source.list("template", ANYONE)] == ["note:///{id}"]
    assert isinstance(await source.get("prompt", "greet", ANYONE), Prompt)
    read = await source.call(Call(name="note:///b", kind="resource"))
    assert "text of note:///b" in read.model_dump_json()
    prompt = await source.call(Call(name="greet", kind="prompt", arguments={"who": "Ann"}))
    assert "Ann" in prompt.model_dump_json()
    wanted = {"ref": "prompt", "argument": "who", "value": "A"}
    completed = await source.call(Call(name="greet", kind="completion", arguments=wanted))
    assert isinstance(completed, mcp_types.CompleteResult)
    assert completed.completion.values == ["A!"]


async def test_a_resource_that_is_not_listed_is_found_by_its_template(source: McpSource) -> None:
    found = await source.get("resource", "note:///z", ANYONE)
    assert isinstance(found, Resource)
    assert found.name == "note"
    with pytest.raises(ToolNotFound):
        await source.get("resource", "other:///z", ANYONE)


async def test_an_unknown_tool_is_not_found_and_not_called(source: McpSource) -> None:
    with pytest.raises(ToolNotFound):
        await source.call(Call(name="nonesuch"))


async def test_an_error_answer_is_a_failure_that_was_sent(source: McpSource) -> None:
    failure = error_of(await source.call(Call(name="refuse")))
    assert failure is not None
    assert (failure.code, failure.sent) == ("upstream_error", "yes")
    assert "not today" in failure.message


async def test_progress_is_reported(source: McpSource) -> None:
    heard: list[tuple[float, float | None, str | None]] = []

    async def report(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    await source.call(Call(name="slow", client=ClientChannel(report=report)))
    assert heard == [(1, 2, "half")]


@pytest.mark.req("UP-02")
async def test_calls_run_side_by_side(source: McpSource) -> None:
    answers = await asyncio.gather(*(source.call(Call(name="echo", arguments={"n": n})) for n in range(40)))
    assert [_text(answer) for answer in answers] == [f'{{"n": {n}}}' for n in range(40)]


@pytest.mark.req("UP-02")
async def test_a_call_that_is_cancelled_disturbs_no_other(source: McpSource) -> None:
    await source.list_tools(ANYONE)
    hanging = asyncio.create_task(source.call(Call(name="hang")))
    assert _text(await source.call(Call(name="echo"))) == "{}"
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert _text(await source.call(Call(name="echo"))) == "{}"


@pytest.mark.req("UP-02")
@pytest.mark.parametrize("transport", ["memory", "http"])
async def test_a_call_without_an_answer_ends_at_the_deadline(transport: str) -> None:
    async with opened(transport, limits=Limits(deadline=1.5)) as source:
        await source.list_tools(ANYONE)
        started = asyncio.get_running_loop().time()
        failure = error_of(await source.call(Call(name="hang")))
        assert asyncio.get_running_loop().time() - started < 4
        assert failure is not None
        assert (failure.code, failure.sent) == ("timeout", "unknown")
        assert _text(await source.call(Call(name="echo"))) == "{}"


@pytest.mark.parametrize("transport", ["memory", "stdio", "http"])
async def test_a_question_of_a_new_upstream_is_one_of_ours(transport: str) -> None:
    async with opened(transport) as source:
        asked = await source.call(Call(name="ask"))
        assert isinstance(asked, mcp_types.InputRequiredResult)
        assert [*(asked.input_requests or {})] == ["upstream.sure"]
        responses: dict[str, Any] = {"upstream.sure": {"action": "accept", "content": {}}}
        answered = await source.call(Call(name="ask", input_responses=responses, request_state=asked.request_state))
    assert _text(answered) == "peer-state {'sure': 'accept'}"


@pytest.mark.req("APR-02", "ATK-32")
@pytest.mark.parametrize(("trusted", "access"), [(True, "read"), (False, "write")])
async def test_labels_are_believed_only_of_a_trusted_upstream(trusted: bool, access: str) -> None:
    async with opened("memory", trusted=trusted) as source:
        tools = {tool.name: tool for tool in await source.list_tools(ANYONE)}
    assert tools["echo"].access == access
    assert tools["die"].access == "write"
    assert tools["echo"].extra["annotations"] == {"readOnlyHint": True}


async def test_header_hints_are_shown_for_the_hop_before_the_gateway() -> None:
    async with opened("memory") as source:
        tool = await source.get_tool("region", ANYONE)
    assert tool.input_schema["properties"]["r"]["x-mcp-header"] == "R"


async def test_the_sdks_client_sends_those_headers_itself() -> None:
    async with opened("http") as source:
        assert _text(await source.call(Call(name="region", arguments={"r": "eu"}))) == '{"r": "eu"}'


@pytest.mark.req("UP-10")
async def test_a_killed_child_fails_its_calls_and_the_next_call_works() -> None:
    async with opened("stdio") as source:
        await source.list_tools(ANYONE)
        hanging = asyncio.create_task(source.call(Call(name="hang")))
        died = error_of(await source.call(Call(name="die")))
        innocent = error_of(await hanging)
        assert died is not None
        assert innocent is not None
        assert (died.code, died.sent, innocent.code) == ("connection_lost", "unknown", "connection_lost")
        assert _text(await source.call(Call(name="echo"))) == "{}"


@pytest.mark.req("UP-10")
async def test_a_child_sees_only_a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_SECRET", peer.CANARY)
    async with opened("stdio") as source:
        assert peer.CANARY not in _text(await source.call(Call(name="environment")))


@pytest.mark.req("UP-10")
async def test_what_a_child_writes_to_standard_error_is_kept_within_bounds() -> None:
    async with opened("stdio", limits=Limits(stderr=1000)) as source:
        await source.call(Call(name="noise"))
    assert len(source.stderr) == 1000
    assert source.stderr.endswith("the end")


@pytest.mark.req("UP-02")
async def test_a_command_that_is_not_there_is_a_failure() -> None:
    async with McpSource(StdioServerParameters(command="no-such-command")) as source:
        failure = error_of(await source.call(Call(name="x")))
        assert failure is not None
        assert (failure.code, failure.sent) == ("unreachable", "no")
        assert "'no-such-command'" in failure.message
        assert (await source.status()).state == "failed"


async def test_a_child_that_ends_at_once_is_a_failure_that_says_so() -> None:
    script = "import sys; sys.exit('no licence')"
    async with McpSource(StdioServerParameters(command=sys.executable, args=["-c", script])) as source:
        failure = error_of(await source.call(Call(name="x")))
        assert failure is not None
        assert "ended before it answered" in failure.message
        assert "licence" not in failure.message
    assert "no licence" in source.stderr


@pytest.mark.req("UP-02")
async def test_a_child_that_prints_junk_and_never_answers_ends_at_the_connect_deadline() -> None:
    script = "print('hello'); import time; time.sleep(600)"
    child = StdioServerParameters(command=sys.executable, args=["-c", script])
    async with McpSource(child, limits=Limits(connect=1.0)) as source:
        failure = error_of(await source.call(Call(name="x")))
    assert failure is not None
    assert (failure.code, failure.sent) == ("timeout", "no")


@pytest.mark.req("UP-01")
async def test_the_clock_of_the_reference_servers_tells_the_time() -> None:
    child = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server_time"])
    async with McpSource(child) as source:
        tools = {tool.key for tool in await source.list_tools(ANYONE)}
        answer = await source.call(Call(name="get_current_time", arguments={"timezone": "UTC"}))
    assert tools == {"get_current_time", "convert_time"}
    assert '"timezone": "UTC"' in _text(answer)


@pytest.mark.req("UP-01")
async def test_the_git_server_of_the_reference_servers_reads_a_repository(tmp_path: Path) -> None:
    git = await asyncio.create_subprocess_exec("git", "init", "-q", str(tmp_path))
    await git.wait()
    (tmp_path / "new.txt").touch()
    child = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server_git", "-r", str(tmp_path)])
    async with McpSource(child, trusted=True) as source:
        status = await source.get_tool("git_status", ANYONE)
        answer = await source.call(Call(name="git_status", arguments={"repo_path": str(tmp_path)}))
    assert isinstance(status, Tool)
    assert "new.txt" in _text(answer)


@pytest.mark.req("UP-08")
async def test_news_of_a_changed_listing_reaches_watchers_and_ends_what_was_kept() -> None:
    offered = [tool for tool in peer.TOOLS if tool.name == "change"]
    told: list[str] = []
    async with McpSource(peer.server(offered), mode="legacy") as source:
        source.watch(told.append)
        await source.list_tools(ANYONE)
        before = source.version(ANYONE)
        offered.append(peer.TOOLS[0])
        await source.call(Call(name="change"))
        assert [tool.name for tool in await source.list_tools(ANYONE)] == ["change", "ask"]
        assert source.version(ANYONE) != before
    assert told[0] == "tool"


@pytest.mark.req("GW-02")
async def test_the_last_known_listing_stands_while_the_upstream_gives_none() -> None:
    offered = [tool for tool in peer.TOOLS if tool.name == "change"]
    async with McpSource(peer.server(offered), mode="legacy") as source:
        await source.list_tools(ANYONE)
        offered.clear()
        await source.call(Call(name="change"))
        assert [tool.name for tool in await source.list_tools(ANYONE)] == ["change"]


async def test_a_source_that_was_not_entered_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="async with source"):
        await McpSource(peer.server()).list_tools(ANYONE)


async def test_a_source_of_another_event_loop_says_what_to_do() -> None:
    async with McpSource(peer.server()) as source:
        with pytest.raises(ConfigError, match="another event loop"):
            await asyncio.to_thread(asyncio.run, source.list_tools(ANYONE))


async def test_prompt_arguments_that_are_no_text_are_the_callers_fault() -> None:
    async with opened("memory") as source:
        with pytest.raises(InvalidArguments, match="greet"):
            await source.call(Call(name="greet", kind="prompt", arguments={"who": 1}))


@pytest.mark.parametrize("target", ["", "ftp://x", "localhost:80", "https://", 7, None])
def test_a_target_that_is_none_is_refused_at_build(target: Any) -> None:
    with pytest.raises(ConfigError):
        McpSource(target)


def test_a_url_with_a_credential_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="must not hold a credential") as caught:
        McpSource(f"https://user:{peer.CANARY}@example.com/mcp")
    assert peer.CANARY not in str(caught.value)


def test_a_command_takes_no_headers() -> None:
    with pytest.raises(ConfigError, match="env"):
        McpSource(CHILD, headers={"X-Key": "1"})
