"""Callers, approvers, replicas, crashes and time in any order: what must hold of every approval."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import mcp_types
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select, update

from contract import Things, text
from mcpbridge.approvals.approvals import Approvals
from mcpbridge.audit.stored import StoreSink
from mcpbridge.errors import Failure
from mcpbridge.source.answer import answers, ask, error_of, failed
from mcpbridge.source.base import Answer
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import approvals, audit
from mcpbridge.store.store import Store
from mcpbridge.tools import Call, Caller, ClientChannel
from mcpbridge.wrap.approve import Approve
from mcpbridge.wrap.plain import digest_of

T = TypeVar("T")

ENDS = {
    *("approval_required", "approval_denied", "approval_expired", "approval_timed_out", "approval_used"),
    *("approval_invalid", "unreachable", "connection_lost"),
}
REPLICAS = st.integers(0, 1)
FORM = mcp_types.ElicitRequestFormParams(message="Name?", requested_schema={"type": "object", "properties": {}})


class Crash(BaseException):
    """A replica ends here."""


class Mortal(Approvals):
    """A replica's approvals; a dead one writes nothing more."""

    dead = False

    async def swap(self, old: Any, new: Any) -> Any:
        if self.dead:
            raise Crash
        return await super().swap(old, new)


class Upstream(Things):
    """Does what it is told with the next call, and remembers what it did."""

    def __init__(self) -> None:
        super().__init__()
        self.next = "answer"
        self.did: list[Call] = []
        self.running: Mortal | None = None

    async def call(self, call: Call) -> Answer:
        how, self.next = self.next, "answer"
        if how == "refuse":
            return failed(Failure(code="unreachable", message="no", sent="no"))
        if how == "ask" and answers(call, "up").own is None:
            return ask("up", {"name": mcp_types.ElicitRequest(params=FORM)}, 1)
        if how in {"crash before", "crash after"} and self.running is not None:
            self.did += [call] if how == "crash after" else []
            self.running.dead = True
            raise Crash
        self.did.append(call)
        if how == "lose":
            return failed(Failure(code="connection_lost", message="no", sent="unknown"))
        return text("done")


class Machine(RuleBasedStateMachine):
    """One tenant of a database, two replicas of a gateway, two users, three sets of arguments."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.tenant = secrets.token_hex(4)
        self.upstream = Upstream()
        self.stores = [open_store(self.url), open_store(self.url)]
        for store in self.stores:
            self.run(store.__aenter__())
        self.replicas = [Mortal(store) for store in self.stores]
        self.rounds: list[Call] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def gate(self, replica: int) -> Approve:
        self.replicas[replica].dead = False  # whoever crashed was started again
        self.upstream.running = self.replicas[replica]
        return Approve(self.upstream, approvals=self.replicas[replica], scope="up")

    def send(self, replica: int, call: Call) -> None:
        try:
            answer = self.run(self.gate(replica).call(replace(call, id=secrets.token_hex(8))))
        except Crash:
            return
        if isinstance(answer, mcp_types.InputRequiredResult):
            yes = {name: {"action": "accept", "content": {"approve": True}} for name in answer.input_requests or {}}
            self.rounds.append(replace(call, request_state=answer.request_state, input_responses=yes))
        else:
            failure = error_of(answer)
            assert failure is None or failure.code in ENDS

    @rule(replica=REPLICAS, user=st.sampled_from("ab"), n=st.integers(0, 2), form=st.booleans())
    def call(self, replica: int, user: str, n: int, form: bool) -> None:
        caller = Caller(tenant=self.tenant, user=user)
        self.send(replica, Call(name="write_it", arguments={"n": n}, caller=caller, client=ClientChannel(form=form)))

    @rule(how=st.sampled_from(["answer", "refuse", "ask", "lose", "crash before", "crash after"]))
    def upstream_will(self, how: str) -> None:
        self.upstream.next = how

    @precondition(lambda self: bool(self.rounds))
    @rule(replica=REPLICAS, which=st.integers(0, 100), said=st.sampled_from(["yes", "no", "nonsense", "nothing"]))
    def client_answers(self, replica: int, which: int, said: str) -> None:
        """Also rounds that were answered before: clients and thieves replay."""
        asked = self.rounds[which % len(self.rounds)]
        given = asked.input_responses or {}
        other: Any = {"no": {"action": "decline"}, "nonsense": 7, "nothing": None}.get(said)
        self.send(replica, asked if said == "yes" else replace(asked, input_responses=dict.fromkeys(given, other)))

    @precondition(lambda self: bool(self.rounds))
    @rule(replica=REPLICAS, which=st.integers(0, 100), n=st.integers(0, 2), user=st.sampled_from("ab"))
    def thief_uses_a_round(self, replica: int, which: int, n: int, user: str) -> None:
        stolen = self.rounds[which % len(self.rounds)]
        self.send(replica, replace(stolen, arguments={"n": n}, caller=Caller(tenant=self.tenant, user=user)))

    @rule(replica=REPLICAS, approved=st.booleans(), which=st.integers(0, 100))
    def somebody_decides(self, replica: int, approved: bool, which: int) -> None:
        place = Approvals(self.stores[replica])
        if waiting := self.run(place.waiting(self.tenant)):
            self.run(place.decide(waiting[which % len(waiting)].id, approved=approved, by="carol"))

    @rule(replica=REPLICAS)
    def somebody_looks_what_happened(self, replica: int) -> None:
        place = Approvals(self.stores[replica])
        ran = {call.id for call in self.upstream.did}
        for unknown in self.run(place.requests(self.tenant, states=("unknown",))):
            self.run(place.resolve(unknown.id, ran=unknown.call in ran, by="dave"))

    @rule(seconds=st.sampled_from([100, 650, 1300]))
    def time_passes(self, seconds: float) -> None:
        self.run(self._age(self.stores[0], seconds))

    async def _age(self, store: Store, seconds: float) -> None:
        past = {"created": approvals.c.created - seconds, "expires": approvals.c.expires - seconds}
        async with store.write() as connection:
            await connection.execute(update(approvals).where(approvals.c.tenant == self.tenant).values(**past))

    @invariant()
    def every_execution_has_its_own_decision(self) -> None:
        events = self.run(self._events())
        claims = {event["call"]: event for event in events if event["action"] in {"claim", "finish", "lose"}}
        ran = [(call, claims[call.id]) for call in self.upstream.did]
        per_approval = Counter(claim["details"]["approval"] for _, claim in ran)

        assert set(per_approval.values()) <= {1}
        for call, claim in ran:
            before = [one for one in events[: events.index(claim)] if _approval(one) == _approval(claim)]
            assert [one["action"] for one in before if one["action"] in {"approve", "resolve"}]
            assert claim["digests"]["arguments"] == digest_of(call.arguments)
            assert claim["who"]["user"] == call.caller.user

    async def _events(self) -> list[dict[str, Any]]:
        async with self.stores[0].read() as connection:
            rows = await connection.execute(select(audit.c.entry).where(audit.c.tenant == self.tenant))
            return sorted((json.loads(row.entry) for row in rows), key=lambda event: event["at"])

    def teardown(self) -> None:
        assert self.run(StoreSink(self.stores[0]).verify()) == []
        for store in self.stores:
            self.run(store.__aexit__(None, None, None))
        self.runner.close()


def _approval(event: dict[str, Any]) -> str:
    return str(event["details"]["approval"])


@pytest.mark.req("APR-03", "APR-05", "APR-06", "FLT-21", "FLT-22", "FLT-23")
def test_every_execution_has_its_own_decision_whatever_happens(database_url: str) -> None:
    machine = type("OnDatabase", (Machine,), {"url": database_url})
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    few = settings(max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=slow, derandomize=True)
    run_state_machine_as_test(machine, settings=few)
