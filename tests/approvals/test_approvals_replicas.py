"""One approval, many replicas: whatever crashes, one decision counts and one call runs."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import mcp_types
import pytest
from kept import ALICE, age, request
from sqlalchemy import select

from contract import Things, words_of
from mcpbridge.approvals.approvals import Approvals
from mcpbridge.audit.stored import StoreSink
from mcpbridge.source.answer import error_of
from mcpbridge.source.base import Answer
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import audit
from mcpbridge.store.store import Store
from mcpbridge.tools import Call, ClientChannel
from mcpbridge.wrap.approve import Approve

DECIDER = Path(__file__).with_name("decider.py")
REQUESTS = 200

WRITE = Call(name="write_it", arguments={"text": "hello"}, caller=ALICE, client=ClientChannel(form=True))
MUTE = replace(WRITE, client=None)


def gate(source: Things, store: Store) -> Approve:
    """One replica's gate before a source."""
    return Approve(source, approvals=Approvals(store, interval=0.05), scope="things")


def code(answer: Answer) -> str | None:
    failure = error_of(answer)
    return failure.code if failure else None


def waiting_id(answer: Answer) -> str:
    failure = error_of(answer)
    assert failure
    assert failure.code == "approval_required"
    return str(failure.details["approval"])


def said_yes(answer: Answer) -> Call:
    """The client's next round."""
    assert isinstance(answer, mcp_types.InputRequiredResult)
    yes = {"action": "accept", "content": {"approve": True}}
    responses = dict.fromkeys(answer.input_requests or {}, yes)
    return replace(WRITE, input_responses=responses, request_state=answer.request_state)


async def decided_by_four(url: str) -> list[list[dict[str, Any]]]:
    """What four processes, that begin at once, say of each request."""
    command = [sys.executable, str(DECIDER), url]
    replicas = [
        await asyncio.create_subprocess_exec(
            *command, f"replica {number}", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        for number in range(4)
    ]
    async with asyncio.timeout(120):
        for one in replicas:
            assert one.stdout
            assert await one.stdout.readline() == b"ready\n"
        told = await asyncio.gather(*(one.communicate(b"go\n") for one in replicas))
    assert [one.returncode for one in replicas] == [0] * 4
    return [[json.loads(line) for line in out.splitlines()] for out, _ in told]


@pytest.mark.req("FLT-20", "APR-05", "GW-07")
async def test_of_four_replicas_that_decide_two_hundred_requests_one_wins_each(database_url: str) -> None:
    async with open_store(database_url) as store:
        approvals = Approvals(store, per_caller=REQUESTS)
        for number in range(REQUESTS):
            await approvals.add(request(n=number), 600)
        told = [one for replica in await decided_by_four(database_url) for one in replica]
        winners = {one["id"]: (one["by"], one["state"]) for one in told if one["won"]}
        events = Counter([event["action"] for event in await events_of(store)])

        assert len(told) == 4 * REQUESTS
        assert Counter(one["won"] for one in told) == {True: REQUESTS, False: 3 * REQUESTS}
        assert len({by for by, _ in winners.values()}) > 1
        assert [one for one in told if (one["by"], one["state"]) != winners[one["id"]]] == []
        assert events["approve"] + events["deny"] == REQUESTS
        assert await StoreSink(store).verify() == []


async def events_of(store: Store) -> list[dict[str, Any]]:
    """All that the audit has, in the order of time."""

    async with store.read() as connection:
        lines = await connection.scalars(select(audit.c.entry))
        return sorted((json.loads(line) for line in lines), key=lambda event: event["at"])


@pytest.mark.req("GW-07", "APR-04", "APR-08", "FLT-21")
async def test_asked_on_one_decided_on_another_and_run_on_a_third_after_a_restart(database_url: str) -> None:
    things = Things()
    async with open_store(database_url) as first:
        name = waiting_id(await gate(things, first).call(MUTE))
    async with open_store(database_url) as second:
        await Approvals(second).decide(name, approved=True, by="carol")
    async with open_store(database_url) as third, open_store(database_url) as fourth:
        answers = await asyncio.gather(*(gate(things, store).call(MUTE) for store in (third, fourth) * 10))

    assert [code(answer) for answer in answers].count(None) == 1
    assert len(things.calls) == 1


@pytest.mark.req("GW-07", "FLT-23", "ATK-56")
async def test_a_clients_answer_is_good_once_on_whichever_replica_it_comes_to(database_url: str) -> None:
    things = Things()
    async with open_store(database_url) as one, open_store(database_url) as two:
        again = said_yes(await gate(things, one).call(WRITE))
        codes = [code(answer) for answer in await asyncio.gather(*(gate(things, at).call(again) for at in (one, two)))]

    assert sorted(codes, key=str) == [None, "approval_used"]
    assert len(things.calls) == 1


class Crash(BaseException):
    """The process ends here."""


class Mortal(Approvals):
    """What a replica holds that may crash: after that it writes nothing more."""

    dead = False

    async def swap(self, old: Any, new: Any) -> Any:
        if self.dead:
            raise Crash
        return await super().swap(old, new)


@pytest.mark.req("FLT-22", "APR-06")
@pytest.mark.parametrize("left", [True, False])
async def test_a_crash_after_the_claim_leaves_it_unknown_and_runs_nothing_twice(store: Store, *, left: bool) -> None:
    def crash(call: Call) -> Answer:
        mortal.dead = True
        raise Crash

    things, mortal, alive = Things(), Mortal(store), Approvals(store)
    name = waiting_id(await Approve(things, approvals=mortal, scope="things").call(MUTE))
    await alive.decide(name, approved=True, by="carol")
    things.answer = crash
    with pytest.raises(Crash):
        await Approve(things, approvals=mortal, scope="things").call(MUTE)
    things.answer = things.by_kind
    other = waiting_id(await gate(things, store).call(MUTE))
    asked_anew = await alive.get(other)
    assert asked_anew
    assert "may have run already" in asked_anew.shown
    await age(store, 1201)
    [unknown] = await alive.requests(states=("unknown",))

    assert (other != name, unknown.id, unknown.by, len(things.calls)) == (True, name, "carol", 1)
    settled = await alive.resolve(name, ran=left, by="dave", reason="looked")
    assert settled
    assert settled.won
    assert code(await gate(things, store).call(MUTE)) != "approval_used"
    assert len(things.calls) == 1


@pytest.mark.req("FLT-21")
async def test_a_crash_after_the_yes_and_before_the_claim_runs_once_elsewhere(store: Store) -> None:
    things, mortal = Things(), Mortal(store)
    name = waiting_id(await Approve(things, approvals=mortal, scope="things").call(MUTE))
    await mortal.decide(name, approved=True, by="carol")
    mortal.dead = True
    with pytest.raises(Crash):
        await Approve(things, approvals=mortal, scope="things").call(MUTE)

    assert words_of(await gate(things, store).call(MUTE)) == "things did write_it"
    assert len(things.calls) == 1


@pytest.mark.req("FLT-23")
async def test_an_end_while_it_is_decided_has_one_outcome(store: Store) -> None:
    things = Things()
    name = waiting_id(await gate(things, store).call(MUTE))
    places = [Approvals(store) for _ in range(5)]
    _, *decided = await asyncio.gather(age(store, 601), *(one.decide(name, approved=True, by="x") for one in places))
    won = [one for one in decided if one and one.won]
    answer = code(await gate(things, store).call(MUTE))

    assert len(won) <= 1
    assert answer == ("approval_expired" if won else "approval_timed_out")
    assert not things.calls


@pytest.mark.req("FLT-23", "FLT-29")
async def test_a_caller_that_leaves_while_its_call_runs_leaves_no_second_one(store: Store) -> None:
    class Slow(Things):
        async def call(self, call: Call) -> Answer:
            await super().call(call)
            running.set()
            await asyncio.Event().wait()
            raise AssertionError

    things, running = Slow(), asyncio.Event()
    name = waiting_id(await gate(things, store).call(MUTE))
    await Approvals(store).decide(name, approved=True, by="carol")
    caller = asyncio.create_task(gate(things, store).call(MUTE))
    await running.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    left = await Approvals(store).wait(name, 0)

    assert left
    assert left.state in {"claimed", "unknown"}  # it is written down in the background
    waiting_id(await gate(Things(), store).call(MUTE))
    assert len(things.calls) == 1
