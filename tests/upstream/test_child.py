"""Children that die, hang, flood, and will not go: the gateway lives, and nothing is left of them."""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

import pytest
from mcp import StdioServerParameters
from watching import children, descriptors, lives, puppet, text, until

from mcpbridge.net.limits import Limits
from mcpbridge.source.answer import error_of
from mcpbridge.source.base import Answer
from mcpbridge.tools import ANYONE, Call
from mcpbridge.upstream.backoff import Backoff
from mcpbridge.upstream.source import McpSource

OFTEN = Backoff(first=0.001, most=0.001, restarts=1000)


@pytest.mark.req("FLT-12", "UP-10")
@pytest.mark.parametrize("last", ["die", "echo"])
async def test_the_children_of_a_child_end_with_it(last: str) -> None:
    async with McpSource(puppet()) as source:
        grandchild = int(text(await source.call(Call(name="spawn"))))
        assert lives(grandchild)
        await source.call(Call(name=last))
        if last == "die":
            await until(lambda: not lives(grandchild))
    await until(lambda: not lives(grandchild))


@pytest.mark.req("FLT-11", "UP-10")
async def test_a_child_that_will_not_go_is_killed_within_five_seconds(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    loop = asyncio.get_running_loop()
    async with McpSource(puppet("deaf", str(pids))) as source:
        await source.list_tools(ANYONE)
        pid = int(pids.read_text("ascii"))
        closing = loop.time()
    assert loop.time() - closing < 5
    assert not lives(pid)


@pytest.mark.req("FLT-11")
async def test_a_flood_of_errors_is_bounded_and_the_end_of_it_kept() -> None:
    async with McpSource(puppet(), limits=Limits(stderr=1000)) as source:
        await source.call(Call(name="flood"))
        await until(lambda: source.stderr.endswith("the end"))
        assert len(source.stderr) == 1000


@pytest.mark.req("FLT-11")
async def test_what_is_no_message_is_passed_over() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with McpSource(puppet("noisy")) as source:
        assert error_of(await source.call(Call(name="echo"))) is None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


@pytest.mark.req("FLT-11", "ATK-68")
async def test_an_answer_of_ten_megabytes_fails_its_call_alone() -> None:
    async with McpSource(puppet()) as source:
        failure = error_of(await source.call(Call(name="huge")))
        assert failure is not None
        assert (failure.code, failure.sent) == ("answer_too_large", "yes")
        assert error_of(await source.call(Call(name="echo"))) is None


@pytest.mark.req("FLT-11")
async def test_what_a_child_that_never_answers_wrote_is_told() -> None:
    async with McpSource(puppet("mute", "noisy"), limits=Limits(connect=1.0)) as source:
        failure = error_of(await source.call(Call(name="echo")))
    assert failure is not None
    assert (failure.code, failure.sent) == ("timeout", "no")
    assert "lines to standard output that are no messages" in failure.message


@pytest.mark.req("FLT-01", "FLT-10")
async def test_a_call_in_a_child_that_is_killed_fails_within_a_second_and_is_not_repeated(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    loop = asyncio.get_running_loop()
    async with McpSource(puppet(str(pids))) as source:
        await source.list_tools(ANYONE)
        begun = loop.time()
        failure = error_of(await source.call(Call(name="die")))
        assert loop.time() - begun < 1
        assert failure is not None
        assert (failure.code, failure.sent) == ("connection_lost", "unknown")
        assert text(await source.call(Call(name="pid"))) == pids.read_text("ascii").split()[1]


@pytest.mark.req("FLT-10")
async def test_a_child_that_dies_again_and_again_is_failed_and_says_when_it_is_tried_next() -> None:
    async with McpSource(puppet(), backoff=Backoff(first=0.01, most=0.01, restarts=3)) as source:
        codes = [getattr(error_of(await _die(source)), "code", "") for _ in range(4)]
        failure = error_of(await source.call(Call(name="echo")))
        status = await source.status()
    assert codes == ["connection_lost"] * 4
    assert failure is not None
    assert (failure.code, failure.sent, failure.retryable) == ("unreachable", "no", True)
    assert failure.retry_after is not None
    assert 30 < failure.retry_after <= 60
    assert status.state == "failed"
    assert status.next_retry is not None
    assert status.since is not None
    assert 30 < status.next_retry - status.since <= 61


@pytest.mark.req("FLT-10")
async def test_a_hundred_kills_leave_no_process_no_descriptor_and_no_task() -> None:
    async with McpSource(puppet(), backoff=OFTEN) as source:
        await _die(source)
        await source.call(Call(name="echo"))
        before = (children(), descriptors(), len(asyncio.all_tasks()))
        for _ in range(100):
            await _die(source)
        assert text(await source.call(Call(name="echo")))
        await until(lambda: (children(), descriptors(), len(asyncio.all_tasks())) <= before)
    assert not children()


@pytest.mark.req("UP-10")
async def test_no_shell_reads_the_words_of_a_command(tmp_path: Path) -> None:
    words = ["-S", "-E", puppet().args[2], "$(touch hit)", "; touch hit"]
    async with McpSource(StdioServerParameters(command=sys.executable, args=words, cwd=tmp_path)) as source:
        assert error_of(await source.call(Call(name="echo"))) is None
    assert not (tmp_path / "hit").exists()


async def _die(source: McpSource) -> Answer:
    """Kills the child, once it is there again."""
    async with asyncio.timeout(20):
        while True:
            answer = await source.call(Call(name="die"))
            failure = error_of(answer)
            if failure is not None and failure.sent != "no":
                return answer
            await asyncio.sleep(0.002)
