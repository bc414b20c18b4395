"""`Approvals(store)`: audited as it changes, silent where nobody has to be asked, and safe where the store fails."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from kept import ALICE, age, request
from sqlalchemy import event, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract import Things, words_of
from mcpbridge.approvals.approvals import Approvals
from mcpbridge.audit.stored import StoreSink
from mcpbridge.errors import ConfigError
from mcpbridge.source.answer import error_of
from mcpbridge.store.errors import StoreUnavailable
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import approvals as rows_of
from mcpbridge.store.schema import audit
from mcpbridge.store.store import Store
from mcpbridge.tools import Call, Caller, Tool
from mcpbridge.wrap.approval import ApprovalsUnavailable
from mcpbridge.wrap.approval_memory import PendingApprovals
from mcpbridge.wrap.approve import Approve
from mcpbridge.wrap.approvers import Queue, first_of
from mcpbridge.wrap.audit_event import AuditEvent

OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND query NOT LIKE '%approvals%'"""

WRITE = Call(name="write_it", arguments={"text": "s3cret words"}, caller=ALICE)


def approve(source: Things, approvals: Approvals) -> Approve:
    return Approve(source, approver=Queue(approvals), scope="things")


def waiting_id(answer: Any) -> str:
    failure = error_of(answer)
    assert failure
    assert failure.code == "approval_required", failure
    return str(failure.details["approval"])


class Told(StoreSink):
    """Remembers what it records; fails while it is told to."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.events: list[dict[str, Any]] = []
        self.failing = False

    async def record(self, connection: AsyncConnection, *events: AuditEvent) -> None:
        if self.failing:
            raise StoreUnavailable("the disk is gone")
        await super().record(connection, *events)
        self.events += [event.to_json() for event in events]


@pytest.mark.req("APR-06", "AUD-01")
async def test_every_step_of_an_approval_is_audited_with_its_digest_and_never_its_arguments(store: Store) -> None:
    sink, things = Told(store), Things()
    gate = approve(things, Approvals(store, audit=sink))
    name = waiting_id(await gate.call(WRITE))
    await gate.decide(name, approved=True, by="carol")
    await gate.call(replace(WRITE, id="call-1"))

    assert [(one["action"], one["outcome"], one["who"]["user"], one.get("call")) for one in sink.events] == [
        ("ask", "asked", "alice", None),
        ("approve", "ok", "carol", None),
        ("claim", "started", "alice", "call-1"),
        ("finish", "ok", "alice", "call-1"),
    ]
    assert {(one["details"]["approval"], one["what"]) for one in sink.events} == {(name, "write_it")}
    assert len({one["digests"]["arguments"] for one in sink.events}) == 1
    assert "s3cret words" not in repr(sink.events)
    assert await sink.verify() == []


@pytest.mark.req("APR-07", "VAULT-03")
async def test_what_is_kept_holds_no_secret_of_the_arguments(approvals: Approvals, store: Store) -> None:
    secret = "hunter2-in-an-argument"
    things = Things({"tool": [Tool(name="write_it")]})
    waiting_id(await approve(things, approvals).call(replace(WRITE, arguments={"password": secret, "token": secret})))
    async with store.read() as connection:
        rows = [*await connection.execute(select(rows_of)), *await connection.execute(select(audit))]

    assert rows
    assert secret not in repr(rows)


@pytest.mark.req("APR-05", "AUD-01")
async def test_a_decision_that_cannot_be_audited_is_not_made(store: Store) -> None:
    sink = Told(store)
    approvals = Approvals(store, audit=sink)
    added = await approvals.add(request(), 600)
    sink.failing = True
    with pytest.raises(ApprovalsUnavailable, match="disk is gone"):
        await approvals.decide(added.id, approved=True)

    assert await approvals.get(added.id) == added


@pytest.mark.req("APR-06")
async def test_a_call_does_not_run_where_its_claim_cannot_be_written(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    sink, things = Told(store), Things()
    gate = approve(things, Approvals(store, audit=sink))
    await gate.decide(waiting_id(await gate.call(WRITE)), approved=True)
    sink.failing = True
    failure = error_of(await gate.call(WRITE))
    sink.failing = False

    assert failure
    assert (failure.code, failure.sent, failure.retryable) == ("approvals_unavailable", "no", True)
    assert "disk" not in failure.message
    assert not things.calls
    assert words_of(await gate.call(WRITE)) == "things did write_it"


@pytest.mark.req("APR-06", "FLT-22")
async def test_an_answer_is_given_even_where_its_end_cannot_be_written(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    sink, things = Told(store), Things()
    approvals = Approvals(store, audit=sink)
    gate = approve(things, approvals)
    await gate.decide(waiting_id(await gate.call(WRITE)), approved=True)

    def fails_then(call: Call) -> Any:
        sink.failing = True
        return things.by_kind(call)

    things.answer = fails_then
    assert words_of(await gate.call(WRITE)) == "things did write_it"
    await age(store, 1201)
    assert len(await approvals.requests(states=("unknown",))) == 1


async def test_a_call_that_needs_no_approval_touches_no_database(tmp_path: Any) -> None:
    never_opened = open_store(f"sqlite:///{tmp_path / 'none.db'}")
    gate = approve(Things(), Approvals(never_opened))

    assert words_of(await gate.call(Call(name="read_it"))) == "things did read_it"
    with pytest.raises(ConfigError, match="not open"):
        await gate.call(WRITE)


async def test_a_host_lists_requests_by_tenant_and_state(approvals: Approvals) -> None:
    mine, theirs = [await approvals.add(request(replace(ALICE, tenant=name)), 600) for name in ("acme", "other")]
    await approvals.decide(theirs.id, approved=False)

    assert await approvals.requests("acme", states=("pending", "denied")) == [mine]
    assert [one.id for one in await approvals.requests(states=("denied",))] == [theirs.id]
    assert len(await approvals.requests(states=("pending", "denied"), limit=1)) == 1


async def test_changes_tell_of_requests_made_decided_and_ended_on_any_replica(database_url: str) -> None:
    async with open_store(database_url) as one, open_store(database_url) as two:
        here, there = Approvals(one, interval=0.05), Approvals(two)
        added = await there.add(request(), 600)
        async with aclosing(here.changes("acme")) as changes, asyncio.timeout(30):
            told = [await anext(changes)]
            await there.decide(added.id, approved=False, by="carol")
            told.append(await anext(changes))
            await there.add(request(replace(ALICE, tenant="other")), 600)
            short = await there.add(request(n=1), 0.2)
            told += [await anext(changes), await anext(changes)]

    assert [(one.id, one.state) for one in told] == [
        (added.id, "pending"),
        (added.id, "denied"),
        (short.id, "pending"),
        (short.id, "expired"),
    ]


async def test_what_expired_long_ago_is_forgotten_and_what_is_unknown_is_not(
    approvals: Approvals, store: Store
) -> None:
    old, lost = [await approvals.add(request(n=number), 600) for number in range(2)]
    await approvals.swap(lost, replace(lost, state="unknown"))
    await age(store, 90_000)
    new = await approvals.add(request(n=2), 600)

    assert await approvals.forget() == 1
    assert [await approvals.get(one.id) is not None for one in (old, lost, new)] == [False, True, True]


@pytest.mark.req("ATK-55")
async def test_shared_approvals_need_the_name_of_what_is_guarded(approvals: Approvals) -> None:
    with pytest.raises(ConfigError, match="scope"):
        Approve(Things(), approver=Queue(approvals))


async def test_one_gate_has_one_place_of_approvals(approvals: Approvals) -> None:
    with pytest.raises(ConfigError, match="other approvals"):
        Approve(Things(), approver=first_of(Queue(approvals)), approvals=PendingApprovals(), scope="things")


@pytest.mark.req("ATK-54")
async def test_a_stranger_costs_the_same_queries_for_a_real_id_as_for_none(approvals: Approvals) -> None:
    added = await approvals.add(request(), 600)
    stranger = Caller(tenant="other", user="eve")
    statements: list[str] = []
    reader = approvals.store.database.reader.sync_engine
    event.listen(reader, "before_cursor_execute", lambda *given: statements.append(given[2]))
    for name in (added.id, "unknown"):
        assert await approvals.decide(name, approved=True, by=stranger) is None
    half = len(statements) // 2

    assert statements[:half] == statements[half:] != []


async def test_who_waits_goes_on_when_the_listening_connection_is_lost(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    async with open_store(postgres_url) as one, open_store(postgres_url) as two:
        here, there = Approvals(one, interval=0.05), Approvals(two)
        added = await there.add(request(), 600)
        waiting = asyncio.create_task(here.wait(added.id))
        assert await here.wait(added.id, 0.2) == added
        async with two.read() as connection:
            await connection.execute(text(OTHERS))
        await there.decide(added.id, approved=True, by="carol")
        async with asyncio.timeout(30):
            told = await waiting

    assert told
    assert told.by == "carol"
