"""What every place that keeps approvals does alike: memory, SQLite and Postgres, seen from two replicas."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from kept import ALICE, Kept, request

from mcpbridge.tools import Caller, Tool
from mcpbridge.wrap.approval import DecisionRefused

BOB = replace(ALICE, user="bob")


async def test_a_request_comes_back_as_it_was_kept(kept: Kept) -> None:
    added = await kept.here.add(request(), 600)

    assert await kept.there.get(added.id) == added
    assert added.expires == pytest.approx(added.created + 600)
    assert await kept.there.get("unknown") is None


async def test_names_that_no_column_would_take_are_kept_too(kept: Kept) -> None:
    odd = request(replace(ALICE, user="a\0\ud800", agent="\ud800"), tool=Tool(name="write\0\ud800\u202e"))
    added = await kept.here.add(odd, 600)

    assert await kept.there.get(added.id) == added
    assert await kept.there.find(odd.binding) == added


@pytest.mark.req("APR-05", "APR-04")
async def test_the_first_decision_wins_and_the_second_learns_whose_it_was(kept: Kept) -> None:
    added = await kept.here.add(request(), 600)
    first = await kept.there.decide(added.id, approved=False, by="carol", reason="not today")
    second = await kept.here.decide(added.id, approved=True, by="dave")

    assert first
    assert second
    assert (first.won, second.won) == (True, False)
    assert (second.request.state, second.request.by, second.request.reason) == ("denied", "carol", "not today")


@pytest.mark.req("APR-05", "FLT-20")
async def test_of_many_decisions_one_wins(kept: Kept) -> None:
    added = await kept.here.add(request(), 600)
    deciding = [
        place.decide(added.id, approved=number % 2 == 0, by=f"judge {number}")
        for number, place in enumerate([kept.here, kept.there] * 10)
    ]
    decided = [one for one in await asyncio.gather(*deciding) if one]
    [winner] = [one.request for one in decided if one.won]

    assert {one.request.by for one in decided} == {winner.by}


@pytest.mark.req("APR-05", "ATK-57")
@pytest.mark.parametrize("by", ["alice", "", ALICE, Caller(tenant="acme")], ids=["name", "nobody", "caller", "no user"])
async def test_who_asks_may_be_barred_from_saying_yes(kept: Kept, by: str | Caller) -> None:
    barred = await kept.here.add(request(barred=True), 600)
    with pytest.raises(DecisionRefused, match="may not approve"):
        await kept.here.decide(barred.id, approved=True, by=by)
    decided = await kept.here.decide(barred.id, approved=True, by="carol")

    assert decided
    assert decided.won


async def test_who_is_barred_may_still_say_no(kept: Kept) -> None:
    barred = await kept.here.add(request(barred=True), 600)
    decided = await kept.here.decide(barred.id, approved=False, by=ALICE)

    assert decided
    assert (decided.request.state, decided.request.by) == ("denied", "alice")


@pytest.mark.req("ATK-54")
async def test_another_tenants_request_is_as_one_that_does_not_exist(kept: Kept) -> None:
    added = await kept.here.add(request(), 600)
    stranger = Caller(tenant="other", user="eve")

    assert await kept.here.decide(added.id, approved=True, by=stranger) is None
    assert await kept.here.decide("unknown", approved=True, by=stranger) is None
    assert await kept.here.resolve(added.id, ran=False, by=stranger) is None
    assert await kept.here.waiting("other") == []
    assert await kept.here.waiting("acme") == await kept.there.waiting() == [added]


@pytest.mark.req("FLT-23", "APR-09")
async def test_what_expired_can_be_neither_decided_nor_claimed(kept: Kept) -> None:
    pending, approved = [await kept.here.add(request(n=number), 600) for number in range(2)]
    yes = await kept.here.decide(approved.id, approved=True)
    assert yes
    await kept.wait(601)
    late = await kept.there.decide(pending.id, approved=True)

    assert late
    assert (late.won, late.request.state, late.request.decided) == (False, "expired", None)
    assert await kept.here.swap(yes.request, replace(yes.request, state="claimed")) is None
    assert await kept.here.swap(pending, replace(pending, queued=False)) is None
    assert await kept.here.waiting() == []


@pytest.mark.req("APR-03")
async def test_of_many_claims_one_comes_through(kept: Kept) -> None:
    added = await kept.here.add(request(), 600)
    decided = await kept.here.decide(added.id, approved=True)
    assert decided
    claim = replace(decided.request, state="claimed")
    claims = [place.swap(decided.request, claim) for place in [kept.here, kept.there] * 10]

    assert len([one for one in await asyncio.gather(*claims) if one]) == 1


async def test_what_was_read_before_a_change_changes_nothing(kept: Kept) -> None:
    old = await kept.here.add(request(), 600)
    new = await kept.there.swap(old, replace(old, nonce="n"))

    assert new
    assert new.version == old.version + 1
    assert await kept.here.swap(old, replace(old, queued=False)) is None
    assert await kept.here.get(old.id) == new


@pytest.mark.req("FLT-22", "APR-06")
async def test_a_claim_that_nobody_finishes_is_unknown_and_still_can_be_finished(kept: Kept) -> None:
    added = await kept.here.add(request(), 600)
    claimed = await kept.here.swap(added, replace(added, state="claimed"))
    assert claimed
    await kept.wait(601)
    running = await kept.there.get(added.id)
    await kept.wait(600)
    lost = await kept.there.get(added.id)

    assert running
    assert lost
    assert (running.state, lost.state) == ("claimed", "unknown")
    assert await kept.here.swap(claimed, replace(claimed, state="done"))


@pytest.mark.req("FLT-22")
@pytest.mark.parametrize(("ran", "state"), [(True, "done"), (False, "approved")])
async def test_who_has_looked_settles_what_is_unknown(kept: Kept, *, ran: bool, state: str) -> None:
    added = await kept.here.add(request(), 600)
    unknown = await kept.here.swap(added, replace(added, state="unknown", queued=False))
    assert unknown
    settled = await kept.there.resolve(added.id, ran=ran, by="carol", reason="looked")
    again = await kept.here.resolve(added.id, ran=not ran, by="dave")

    assert settled
    assert again
    assert (settled.won, again.won, again.request.state, again.request.by) == (True, False, state, "carol")
    found = await kept.here.find(added.binding)
    assert (found is not None and found.state == "approved") is not ran


@pytest.mark.req("APR-08")
async def test_a_call_finds_the_yes_before_the_no_and_both_before_what_waits(kept: Kept) -> None:
    waits, no, yes = [await kept.here.add(request(), 600) for _ in range(3)]
    await kept.here.decide(no.id, approved=False)
    found = [await kept.there.find(waits.binding)]
    await kept.here.decide(yes.id, approved=True)
    found.append(await kept.there.find(waits.binding))

    assert [one.id for one in found if one] == [no.id, yes.id]
    assert await kept.there.find(request(BOB).binding) is None
    assert await kept.there.find(request(n=1).binding) is None


async def test_a_no_holds_until_it_expires_and_an_end_is_told(kept: Kept) -> None:
    no = await kept.here.add(request(), 600)
    await kept.here.decide(no.id, approved=False)
    waits = await kept.here.add(request(n=1), 600)
    await kept.wait(601)
    told = await kept.there.find(waits.binding)

    assert await kept.there.find(no.binding) is None
    assert told
    assert (told.id, told.state) == (waits.id, "expired")


async def test_what_is_not_queued_is_not_found(kept: Kept) -> None:
    asked = await kept.here.add(replace(request(), queued=False), 600)

    assert await kept.here.find(asked.binding) is None


async def test_beyond_a_callers_share_the_oldest_is_forgotten(kept: Kept) -> None:
    theirs = await kept.here.add(request(BOB), 600)
    first, *others = [await kept.here.add(request(n=number), 600) for number in range(4)]

    assert await kept.there.get(first.id) is None
    assert {one.id for one in await kept.there.waiting()} == {theirs.id, *(one.id for one in others)}


@pytest.mark.req("APR-04")
async def test_who_waits_hears_of_a_decision_made_elsewhere(kept: Kept) -> None:
    added = await kept.here.add(request(), 600)
    waiting = [asyncio.create_task(kept.here.wait(added.id)) for _ in range(3)]
    assert await kept.here.wait(added.id, 0.01) == added
    await kept.there.decide(added.id, approved=True, by="carol")
    async with asyncio.timeout(20):
        told = await asyncio.gather(*waiting)

    assert [one.by for one in told if one] == ["carol"] * 3


async def test_who_waits_hears_of_an_end(kept: Kept) -> None:
    added = await kept.here.add(request(), 0.05)
    await kept.wait(0.05)
    async with asyncio.timeout(20):
        ended = await kept.there.wait(added.id)

    assert ended
    assert ended.state == "expired"
    assert await kept.there.wait("unknown") is None
