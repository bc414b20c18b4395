"""`Audit`: what is recorded of a call, and what happens while that is impossible."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from contract import Things, check_source_contract, words_of
from mcpbridge.build import guarded
from mcpbridge.errors import ConfigError, Failure, InvalidArguments, ToolNotFound
from mcpbridge.policy import read_only
from mcpbridge.source.answer import error_of, failed
from mcpbridge.source.base import Answer
from mcpbridge.tools import Call, Caller, Item, Kind
from mcpbridge.wrap.audit import Audit
from mcpbridge.wrap.audit_event import AuditEvent
from mcpbridge.wrap.audit_log import AuditLog, AuditUnavailable
from mcpbridge.wrap.plain import digest_of

ADA = Caller(tenant="acme", user="ada")


class Kept:
    """A sink that keeps events, and fails while `error` is set."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []
        self.batches: list[int] = []
        self.error: Exception | None = None
        self.tried, self.took = asyncio.Event(), asyncio.Event()

    async def append(self, events: Sequence[AuditEvent]) -> None:
        self.tried.set()
        if self.error is not None:
            raise self.error
        self.events += events
        self.batches.append(len(events))
        self.took.set()

    def ends(self) -> list[tuple[str, str, str]]:
        return [(event.what, event.outcome, event.reason) for event in self.events]


def down() -> Kept:
    sink = Kept()
    sink.error = OSError("disk")
    return sink


def write(**arguments: Any) -> Call:
    return Call(name="write_it", arguments=arguments, caller=ADA)


READ = Call(name="read_it", caller=ADA)


@pytest.mark.req("AUD-01")
async def test_a_write_is_written_down_before_it_leaves() -> None:
    sink, things = Kept(), Things()
    seen = list[tuple[str, str, str]]()

    def answer(call: Call) -> Answer:
        seen.extend(sink.ends())
        return things.by_kind(call)

    things.answer = answer
    async with Audit(things, sink) as source:
        await source.call(write())

    assert seen == [("write_it", "started", "")]
    assert sink.ends() == [("write_it", "started", ""), ("write_it", "ok", "")]


@pytest.mark.req("AUD-01")
async def test_an_event_says_who_what_when_and_how_it_ended() -> None:
    sink = Kept()
    call = write(text="hello", n=2**60)
    async with Audit(Things(), AuditLog(sink, clock=lambda: 7.0)) as source:
        await source.call(call)
    event = sink.events[-1]

    assert (event.kind, event.action, event.at, event.caller, event.call) == ("call", "tool", 7.0, ADA, call.id)
    assert event.digests["arguments"] == digest_of({"text": "hello", "n": 2**60})
    assert len(event.digests["tool"]) == 64
    assert "hello" not in str(event)


@pytest.mark.req("AUD-01")
@pytest.mark.parametrize(
    ("call", "end"),
    [
        (Call(name="no_such"), ("no_such", "refused", "not_found")),
        (Call(name="read_it", arguments={"n": 1}), ("read_it", "refused", "not_found")),
        (Call(name="write_it", arguments={"text": 5}), ("write_it", "refused", "invalid_arguments")),
        (Call(name="write_it", arguments={"text": float("nan")}), ("write_it", "refused", "invalid_arguments")),
        (Call(name="write_it"), ("write_it", "refused", "policy_denied")),
        (Call(name="x", kind="completion"), ("x", "refused", "invalid_arguments")),
    ],
    ids=["unknown", "hidden", "invalid", "no JSON", "denied", "completion"],
)
async def test_a_refusal_is_recorded_with_its_reason(call: Call, end: tuple[str, str, str]) -> None:
    sink = Kept()
    inner = guarded(Things(), keep=lambda tool, _: tool.name == "write_it", policy=read_only)
    async with Audit(inner, sink) as source:
        try:
            answer = await source.call(call)
        except (ToolNotFound, InvalidArguments):
            pass
        else:
            assert error_of(answer)

    assert sink.ends()[-1] == end


@pytest.mark.parametrize(
    ("failure", "end"),
    [
        ({"code": "timeout", "sent": "unknown"}, ("unknown", "timeout")),
        ({"code": "upstream_status", "sent": "yes"}, ("failed", "upstream_status")),
        ({"code": "unreachable", "sent": "no"}, ("failed", "unreachable")),
        ({"code": "approval_required", "sent": "no"}, ("asked", "approval_required")),
    ],
)
async def test_a_failure_is_recorded_by_its_code(failure: Mapping[str, Any], end: tuple[str, str]) -> None:
    sink, things = Kept(), Things()
    things.answer = lambda _call: failed(Failure(message="m", **failure))
    async with Audit(things, sink) as source:
        await source.call(READ)

    assert sink.ends() == [("read_it", *end)]


async def test_a_cancelled_write_is_recorded_as_unknown() -> None:
    class Slow(Things):
        async def call(self, call: Call) -> Any:
            reached.set()
            await asyncio.Event().wait()

    sink, reached = Kept(), asyncio.Event()
    async with Audit(Slow(), sink) as source:
        task = asyncio.create_task(source.call(write()))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert sink.ends() == [("write_it", "started", ""), ("write_it", "unknown", "cancelled")]


async def test_a_fault_before_and_one_after_a_call_left_are_told_apart() -> None:
    class Faulty(Things):
        async def call(self, call: Call) -> Answer:
            raise RuntimeError("after")

        async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
            if key == "read_it":
                raise RuntimeError("before")
            return await super().get(kind, key, caller)

    sink = Kept()
    async with Audit(Faulty(), sink) as source:
        for call in (READ, write()):
            with pytest.raises(RuntimeError):
                await source.call(call)

    assert [end[1:] for end in sink.ends()] == [("failed", "internal"), ("started", ""), ("unknown", "internal")]


@pytest.mark.req("AUD-01", "FLT-25", "FLT-26")
async def test_while_the_audit_is_down_writes_are_refused_and_reads_go_on() -> None:
    sink, things = down(), Things()
    async with Audit(things, AuditLog(sink, retry=0.02)) as source:
        failure = error_of(await source.call(write()))
        assert words_of(await source.call(READ)) == "things did read_it"
        assert [call.name for call in things.calls] == ["read_it"]
        sink.error = None

    assert failure
    assert (failure.code, failure.sent, failure.retryable) == ("audit_unavailable", "no", True)
    assert [end[1:] for end in sink.ends()] == [("started", ""), ("refused", "audit_unavailable"), ("ok", "")]


@pytest.mark.req("AUD-01")
async def test_the_host_may_refuse_all_calls_while_the_audit_is_down() -> None:
    sink, things = down(), Things()
    async with Audit(things, AuditLog(sink, retry=0.02), when_down="refuse_all") as source:
        await source.call(write())
        assert error_of(await source.call(READ))
        sink.error = None

    assert not things.calls


@pytest.mark.req("AUD-01")
async def test_the_host_may_let_all_calls_go_on_while_the_audit_is_down() -> None:
    sink, things = down(), Things()
    async with Audit(things, AuditLog(sink, retry=0.02), when_down="go_on") as source:
        assert error_of(await source.call(write())) is None
        sink.error = None

    assert len(things.calls) == 1


async def test_a_sink_that_hangs_holds_a_write_no_longer_than_it_may() -> None:
    class Hanging(Kept):
        async def append(self, events: Sequence[AuditEvent]) -> None:
            await asyncio.Event().wait()

    async with Audit(Things(), AuditLog(Hanging(), wait=0.05)) as source:
        failure = error_of(await source.call(write()))

    assert failure
    assert failure.code == "audit_unavailable"


async def test_what_the_queue_could_not_hold_is_counted() -> None:
    sink = down()
    log = AuditLog(sink, limit=3, retry=0.02)
    async with Audit(Things(), log) as source:
        for _ in range(3):
            await source.call(READ)
        await sink.tried.wait()
        await source.call(READ)
        with pytest.raises(AuditUnavailable, match="full"):
            await log.record(AuditEvent(kind="call", what="w", action="tool", outcome="started", at=1.0))
        assert log.lost == 1
        sink.error = None
        async with asyncio.timeout(5):
            await sink.took.wait()
        await source.call(READ)

    [gap] = [event for event in sink.events if event.kind == "gap"]
    assert gap.details == {"count": 1}
    assert len(sink.events) == 5


async def test_reads_are_written_together() -> None:
    sink = Kept()
    async with Audit(Things(), sink) as source:
        for _ in range(200):
            await source.call(READ)

    assert len(sink.events) == 200
    assert len(sink.batches) < 20


async def test_a_log_that_two_sources_share_ends_with_the_last() -> None:
    sink = Kept()
    log = AuditLog(sink)
    async with Audit(Things(), log) as first:
        async with Audit(Things(), log) as second:
            await second.call(write())
        await first.call(write())

    assert len(sink.events) == 4


async def test_a_log_that_is_not_open_says_so() -> None:
    with pytest.raises(ConfigError, match="not open"):
        await Audit(Things(), Kept()).call(write())


def test_another_word_for_what_happens_while_it_is_down_is_refused() -> None:
    word: Any = "never"
    with pytest.raises(ConfigError, match="'never'"):
        Audit(Things(), Kept(), when_down=word)


async def test_it_keeps_the_contract() -> None:
    async with Audit(Things(), Kept()) as source:
        await check_source_contract(source)
