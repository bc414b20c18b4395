"""What is repeated, what never is, and how long that may take. Time is a clock that the pauses move."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import mcp_types
import pytest

from contract import Things, check_source_contract, text, words_of
from mcpbridge.errors import ConfigError, Failure, InvalidArguments
from mcpbridge.router import Router
from mcpbridge.source.answer import error_of, failed
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import Call, Caller, Item, Kind, Origin, Tool
from mcpbridge.wrap.edit import Edit, ToolEdit
from mcpbridge.wrap.filter import Filter
from mcpbridge.wrap.retry import Retry

REFUSED = Failure(code="unreachable", message="nobody there", retryable=True, sent="no")
LOST = Failure(code="connection_lost", message="lost", retryable=True, sent="unknown")
DOWN = Failure(code="upstream_error", message="503", retryable=True, sent="yes", status=503)
BUSY = Failure(code="busy", message="busy", retryable=True, sent="no")
BROKEN_OFF = Failure(code="timeout", message="broke off", retryable=True, sent="yes", status=201)
WRONG = Failure(code="upstream_status", message="400", sent="yes", status=400)

IDEMPOTENT: Mapping[str, Any] = {"annotations": {"idempotentHint": True}}
TOOLS = (
    Tool(name="get_book", access="read"),
    Tool(name="list_authors", access="read"),
    Tool(name="create_book"),
    Tool(name="put_book", extra=IDEMPOTENT, origin=Origin(trusted=True)),
    Tool(name="claims_much", extra=IDEMPOTENT),
)


class Clock:
    """Seconds that only pauses move."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def things(*answers: Failure | Exception | None, tools: Sequence[Item] = TOOLS) -> Things:
    """A source that gives these answers one after the other, and the last one for ever; None is a success."""
    made = Things({"tool": tools})

    def answer(call: Call) -> Answer:
        found = answers[min(len(made.calls), len(answers)) - 1]
        if isinstance(found, Exception):
            raise found
        return text("done") if found is None else failed(found)

    made.answer = answer
    return made


def retry(source: ToolSource, clock: Clock | None = None, **more: Any) -> Retry:
    clock = clock or Clock()
    return Retry(source, clock=clock, sleep=clock.sleep, **more)


def renamed(source: ToolSource) -> ToolSource:
    return Edit(source, {"get_book": ToolEdit(name="look_up")})


def under_a_slug(source: ToolSource) -> ToolSource:
    return Router({"shop": source})


async def outcome(source: ToolSource, name: str = "get_book") -> Failure | None:
    return error_of(await source.call(Call(name=name)))


@pytest.mark.req("RES-01")
@pytest.mark.parametrize("failure", [REFUSED, LOST, DOWN])
@pytest.mark.parametrize("name", ["get_book", "put_book"])
async def test_what_reads_or_is_idempotent_is_repeated(failure: Failure, name: str) -> None:
    source = things(failure, None)

    assert await outcome(retry(source), name) is None
    assert len(source.calls) == 2


@pytest.mark.req("RES-01", "RES-02")
@pytest.mark.parametrize("failure", [LOST, DOWN, BROKEN_OFF, WRONG, replace(LOST, retryable=False)])
@pytest.mark.parametrize("name", ["create_book", "claims_much"])
async def test_a_write_that_left_is_never_sent_again(failure: Failure, name: str) -> None:
    source = things(failure, None)

    assert await outcome(retry(source), name) is not None
    assert len(source.calls) == 1


@pytest.mark.req("RES-01")
async def test_a_write_that_surely_did_not_leave_is_repeated() -> None:
    source = things(REFUSED, REFUSED, None)

    assert await outcome(retry(source), "create_book") is None
    assert len(source.calls) == 3


@pytest.mark.req("RES-02")
async def test_a_write_that_left_in_its_second_attempt_is_not_made_a_third_time() -> None:
    source = things(REFUSED, LOST, None)
    found = await outcome(retry(source), "create_book")

    assert found
    assert (found.code, found.details["attempts"], len(source.calls)) == ("outcome_unknown", 2, 2)


@pytest.mark.req("RES-01")
@pytest.mark.parametrize("failure", [WRONG, BUSY, BROKEN_OFF, replace(LOST, code="timeout")])
async def test_what_would_fail_again_is_not_repeated(failure: Failure) -> None:
    source = things(failure)

    assert await outcome(retry(source)) is not None
    assert len(source.calls) == 1


@pytest.mark.req("RES-01")
async def test_attempts_are_counted_and_end() -> None:
    source = things(DOWN)
    found = await outcome(retry(source))

    assert found
    assert (found.code, found.status, found.details["attempts"]) == ("upstream_error", 503, 3)
    assert len(source.calls) == 3


@pytest.mark.req("RES-01", "FLT-06")
async def test_what_was_lost_twice_is_not_sent_a_third_time() -> None:
    source = things(LOST)

    assert await outcome(retry(source)) is not None
    assert len(source.calls) == 2


@pytest.mark.req("RES-02")
@pytest.mark.parametrize("failure", [LOST, BROKEN_OFF])
async def test_a_lost_write_says_that_its_outcome_is_unknown_and_how_to_check(failure: Failure) -> None:
    found = await outcome(retry(things(failure)), "create_book")

    assert found
    assert (found.code, found.sent, found.retryable) == ("outcome_unknown", "unknown", False)
    assert (found.details["cause"], found.details["check"]) == (failure.code, "get_book")
    assert "call 'get_book' to see" in found.hint


@pytest.mark.req("RES-02")
async def test_without_a_tool_to_check_with_none_is_named() -> None:
    found = await outcome(retry(things(LOST, tools=TOOLS[2:])), "create_book")

    assert found
    assert (found.code, "check" in found.details) == ("outcome_unknown", False)


@pytest.mark.req("RES-02")
async def test_an_idempotent_write_lost_and_then_refused_is_of_unknown_outcome() -> None:
    found = await outcome(retry(things(LOST, replace(WRONG, status=404))), "put_book")

    assert found
    assert (found.code, found.sent, found.status) == ("outcome_unknown", "unknown", 404)


@pytest.mark.req("FLT-04", "RES-01")
async def test_retry_after_is_waited_for() -> None:
    clock = Clock()

    assert await outcome(retry(things(replace(DOWN, retry_after=3.0), None), clock)) is None
    assert 3.0 <= clock.pauses[0] < 4.0


@pytest.mark.req("FLT-04", "RES-01")
@pytest.mark.parametrize("asked", [29.999999, 30.0, 86_400.0, 1e12])
async def test_retry_after_beyond_the_deadline_is_told_and_not_waited_for(asked: float) -> None:
    clock, source = Clock(), things(replace(DOWN, code="rate_limited", retry_after=asked))
    clock.now += 0.1
    found = await outcome(retry(source, clock, deadline=29.9))

    assert found
    assert (found.code, found.retry_after, clock.pauses, len(source.calls)) == ("rate_limited", asked, [], 1)


@pytest.mark.req("RES-01")
async def test_pauses_are_random_and_short() -> None:
    pauses = set[float]()
    for _ in range(20):
        clock = Clock()
        await outcome(retry(things(DOWN), clock))
        pauses.update(clock.pauses)

    assert len(pauses) > 30
    assert 0 <= min(pauses) <= max(pauses) < 0.4


@pytest.mark.req("RES-01")
async def test_pauses_count_into_the_deadline() -> None:
    clock, source = Clock(), things(replace(DOWN, retry_after=4.0))
    await outcome(retry(source, clock, attempts=99, deadline=10))

    assert clock.now - 100 < 10
    assert len(source.calls) == 3


@pytest.mark.req("RES-01", "FLT-02")
@pytest.mark.parametrize(("name", "code"), [("get_book", "timeout"), ("create_book", "outcome_unknown")])
async def test_a_repeat_that_hangs_ends_at_the_deadline(name: str, code: str) -> None:
    class Hangs(Things):
        async def call(self, call: Call) -> Answer:
            self.calls.append(call)
            if len(self.calls) == 1:
                return failed(REFUSED)
            await asyncio.Event().wait()
            return text("never")

    source = Hangs({"tool": TOOLS})
    found = await outcome(Retry(source, deadline=0.3), name)

    assert found
    assert (found.code, found.sent, len(source.calls)) == (code, "unknown", 2)


@pytest.mark.req("RES-01")
async def test_repeats_stay_within_a_fifth_of_the_calls() -> None:
    source = things(DOWN)
    layer = retry(source)
    for _ in range(200):
        await outcome(layer)

    assert 200 < len(source.calls) <= 200 * 1.2 + 3


@pytest.mark.req("RES-01")
async def test_one_upstream_does_not_spend_the_budget_of_another() -> None:
    ill, other = things(DOWN), things(DOWN, None)
    async with Router({"ill": ill, "other": other}) as router:
        layer = retry(router)
        for _ in range(20):
            await outcome(layer, "ill__get_book")

        assert await outcome(layer, "other__get_book") is None
    assert len(other.calls) == 2


@pytest.mark.req("RES-01")
async def test_two_layers_do_not_multiply() -> None:
    source = things(DOWN)
    await outcome(retry(retry(source)))

    assert len(source.calls) == 3


@pytest.mark.req("RES-01")
async def test_reading_a_resource_is_repeated() -> None:
    source = Things()
    answer = source.answer
    source.answer = lambda call: failed(LOST) if len(source.calls) == 1 else answer(call)
    got = await retry(source).call(Call(name="file:///notes.txt", kind="resource"))

    assert isinstance(got, mcp_types.ReadResourceResult)


async def test_what_a_failed_answer_holds_besides_is_kept() -> None:
    source = things(DOWN)
    source.answer = lambda _: failed(DOWN).model_copy(update={"meta": {**(failed(DOWN).meta or {}), "http": 503}})
    answer = await retry(source).call(Call(name="create_book"))

    assert (answer.meta or {})["http"] == 503
    assert words_of(answer) == "503"


async def test_what_the_caller_does_wrong_is_raised_at_once() -> None:
    source = things(InvalidArguments([]))
    with pytest.raises(InvalidArguments):
        await outcome(retry(source))

    assert len(source.calls) == 1


async def test_a_cancelled_pause_ends_the_call() -> None:
    asleep = asyncio.Event()

    async def sleep(_: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(outcome(Retry(things(DOWN), sleep=sleep)))
    await asyncio.wait_for(asleep.wait(), 5)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()


async def test_a_source_that_can_not_tell_its_tools_leaves_the_write_unrepeated() -> None:
    class Silent(Things):
        async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
            await asyncio.Event().wait()
            return TOOLS[0]

        async def call(self, call: Call) -> Answer:
            self.calls.append(call)
            return failed(LOST)

    source = Silent({"tool": TOOLS})
    found = await outcome(retry(source))

    assert found
    assert (found.code, len(source.calls)) == ("outcome_unknown", 1)


@pytest.mark.req("RES-02", "VIS-01")
async def test_a_tool_that_the_caller_may_not_see_is_not_named_to_check_with() -> None:
    source = Filter(retry(things(LOST)), lambda tool, _: tool.name != "get_book")
    found = await outcome(source, "create_book")

    assert found
    assert "check" not in found.details
    assert "get_book" not in str(found)


@pytest.mark.req("RES-02")
@pytest.mark.parametrize(
    ("wrapped", "name", "check"),
    [(renamed, "create_book", "look_up"), (under_a_slug, "shop__create_book", "shop__get_book")],
)
async def test_the_tool_to_check_with_has_the_name_that_the_caller_knows(
    wrapped: Callable[[ToolSource], ToolSource], name: str, check: str
) -> None:
    async with wrapped(retry(things(LOST))) as source:
        found = await outcome(source, name)

    assert found
    assert found.details["check"] == check
    assert f"call {check!r} to see" in found.hint


@pytest.mark.req("RES-01")
async def test_what_the_host_calls_a_write_is_not_repeated_for_having_been_a_read() -> None:
    reads = Tool(name="trigger", access="read", extra=IDEMPOTENT, origin=Origin(trusted=True))
    source = things(LOST, tools=[reads])
    await outcome(retry(Edit(source, {"trigger": ToolEdit(access="write")})), "trigger")

    assert len(source.calls) == 1


async def test_it_keeps_the_contract() -> None:
    await check_source_contract(Retry(Things()))


@pytest.mark.parametrize(
    "numbers", [{"attempts": 0}, {"deadline": 0}, {"deadline": float("nan")}, {"share": -0.1}, {"share": float("inf")}]
)
def test_numbers_that_can_not_be_are_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(numbers))):
        Retry(Things(), **cast("Any", numbers))


def test_a_call_that_goes_well_loads_no_tenacity() -> None:
    script = """
import asyncio, sys
from mcpbridge import Call, Functions, Retry
async def run():
    async with Retry(Functions(lambda_)) as source:
        await source.call_tool(Call(name="lambda_"))
def lambda_() -> int:
    return 1
asyncio.run(run())
print("tenacity" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
