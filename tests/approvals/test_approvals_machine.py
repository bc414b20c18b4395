"""Callers, approvers, replicas, crashes and time in any order: what must hold of every approval."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Coroutine, Sequence
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
REPLICAS = st.sampled_from([(0,), (1,), (0, 1)])
CALLERS = st.sampled_from("ab")
NUMBERS = st.integers(0, 1)
WHICH = st.integers(-1, 20)
HOW = st.sampled_from(["answer", "refuse", "ask", "lose", "crash before", "crash after"])
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
    """Does with each call what it was told of it, and remembers what it did; `on` says which replica runs a call."""

    def __init__(self) -> None:
        super().__init__()
        self.will = dict[str, str]()
        self.on = dict[str, Mortal]()
        self.did: list[Call] = []

    async def call(self, call: Call) -> Answer:
        how = self.will.get(call.id, "answer")
        await asyncio.sleep(0)
        if how == "refuse":
            return failed(Failure(code="unreachable", message="no", sent="no"))
        if how == "ask" and answers(call, "up").own is None:
            return ask("up", {"name": mcp_types.ElicitRequest(params=FORM)}, 1)
        if how in {"crash before", "crash after"}:
            self.did += [call] if how == "crash after" else []
            self.on[call.id].dead = True
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

    def send(self, replicas: Sequence[int], call: Call, how: str = "answer") -> str | None:
        """The call, on these replicas at once; gives the last code that was told."""
        return self.run(self._send(replicas, call, how))

    async def _send(self, replicas: Sequence[int], call: Call, how: str) -> str | None:
        alive = [self.alive(number) for number in replicas]
        codes = await asyncio.gather(*(self._send_one(replica, call, how) for replica in alive))
        return codes[-1]

    def alive(self, replica: int) -> Mortal:
        """The replica; if it crashed it was started again."""
        self.replicas[replica].dead = False
        return self.replicas[replica]

    async def _send_one(self, replica: Mortal, call: Call, how: str) -> str | None:
        call = replace(call, id=secrets.token_hex(8))
        self.upstream.will[call.id], self.upstream.on[call.id] = how, replica
        try:
            answer = await Approve(self.upstream, approvals=replica, scope="up").call(call)
        except Crash:
            return None
        if isinstance(answer, mcp_types.InputRequiredResult):
            yes = {name: {"action": "accept", "content": {"approve": True}} for name in answer.input_requests or {}}
            self.rounds.append(replace(call, request_state=answer.request_state, input_responses=yes))
            return None
        failure = error_of(answer)
        assert failure is None or failure.code in ENDS
        return failure.code if failure else None

    @rule(replicas=REPLICAS, caller=CALLERS, n=NUMBERS, form=st.booleans(), how=HOW)
    def somebody_calls(self, replicas: Sequence[int], caller: str, n: int, form: bool, how: str) -> None:
        self.send(replicas, self.a_call(caller, n, form=form), how)

    @rule(replicas=REPLICAS, caller=CALLERS, n=NUMBERS, how=HOW, late=st.booleans())
    def a_call_is_approved_and_made_again_and_again(
        self, replicas: Sequence[int], caller: str, n: int, how: str, late: bool
    ) -> None:
        call = self.a_call(caller, n)
        self.send([0], call)
        self.somebody_decides(1, approved=True, which=-1)
        if late:
            self.time_passes(650)
        for each in (how, "answer"):
            self.send(replicas, call, each)

    def a_call(self, caller: str, n: int, *, form: bool = False) -> Call:
        who = Caller(tenant=self.tenant, user=caller)
        return Call(name="write_it", arguments={"n": n}, caller=who, client=ClientChannel(form=form))

    @precondition(lambda self: bool(self.rounds))
    @rule(replicas=REPLICAS, which=WHICH, said=st.sampled_from(["yes", "yes", "no", "nonsense", "nothing"]), how=HOW)
    def client_answers(self, replicas: Sequence[int], which: int, said: str, how: str) -> None:
        """Also rounds that were answered before: clients and thieves replay."""
        asked = self.rounds[which % len(self.rounds)]
        given = asked.input_responses or {}
        other: Any = {"no": {"action": "decline"}, "nonsense": 7, "nothing": None}.get(said)
        answered = asked if said == "yes" else replace(asked, input_responses=dict.fromkeys(given, other))
        self.send(replicas, answered, how)

    @precondition(lambda self: bool(self.rounds))
    @rule(replicas=REPLICAS, which=WHICH, n=NUMBERS, caller=CALLERS)
    def thief_uses_a_round(self, replicas: Sequence[int], which: int, n: int, caller: str) -> None:
        stolen = self.rounds[which % len(self.rounds)]
        self.send(replicas, replace(stolen, arguments={"n": n}, caller=Caller(tenant=self.tenant, user=caller)))

    @rule(replica=st.integers(0, 1), approved=st.booleans(), which=WHICH)
    def somebody_decides(self, replica: int, approved: bool, which: int) -> None:
        place = self.alive(replica)
        if waiting := self.run(place.waiting(self.tenant)):
            self.run(place.decide(waiting[which % len(waiting)].id, approved=approved, by="carol"))

    @rule(replica=st.integers(0, 1))
    def somebody_looks_what_happened(self, replica: int) -> None:
        place = self.alive(replica)
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
        for store in self.stores:
            self.run(store.__aexit__(None, None, None))
        self.runner.close()


def _approval(event: dict[str, Any]) -> str:
    return str(event["details"]["approval"])


@pytest.mark.req("APR-03", "APR-05", "APR-06", "FLT-21", "FLT-22", "FLT-23")
def test_every_execution_has_its_own_decision_whatever_happens(database_url: str) -> None:
    machine = type("OnDatabase", (Machine,), {"url": database_url})
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    few = settings(max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=slow, derandomize=True)
    run_state_machine_as_test(machine, settings=few)
    assert asyncio.run(_audit_is_whole(database_url))


async def _audit_is_whole(url: str) -> bool:
    async with open_store(url) as store:
        return not await StoreSink(store).verify()
