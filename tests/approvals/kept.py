"""What the tests of approvals share: a place that keeps them, time that passes, and requests."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import update

from mcpbridge.approvals.approvals import Approvals
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import approvals
from mcpbridge.store.store import Store
from mcpbridge.tools import Call, Caller, Tool
from mcpbridge.wrap.approval import ApprovalRequest, bind, fresh_token
from mcpbridge.wrap.approval_memory import PendingApprovals
from mcpbridge.wrap.approval_store import ApprovalStore

ALICE = Caller(tenant="acme", user="alice")
WRITE = Tool(name="write_it")


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """Approvals in one place, as two replicas see them."""

    here: ApprovalStore
    there: ApprovalStore
    clock: Clock = field(default_factory=Clock)
    store: Store | None = None

    async def wait(self, seconds: float) -> None:
        """Lets time pass: the clock goes on, or all that is kept becomes older."""
        self.clock.now += seconds
        if self.store is not None:
            await age(self.store, seconds)


async def age(store: Store, seconds: float) -> None:
    """Makes every request of a store older by so much."""
    past = {"created": approvals.c.created - seconds, "expires": approvals.c.expires - seconds}
    async with store.write() as connection:
        await connection.execute(update(approvals).values(**past))


def in_memory(limit: int = 100) -> Kept:
    clock = Clock()
    place = PendingApprovals(clock=clock, per_caller=limit)
    return Kept(here=place, there=place, clock=clock)


@asynccontextmanager
async def in_store(url: str, limit: int = 100) -> AsyncGenerator[Kept]:
    """Two replicas, each with a store of its own on the database."""
    async with open_store(url) as one, open_store(url) as two:
        places = [Approvals(store, per_caller=limit, interval=0.05) for store in (one, two)]
        yield Kept(here=places[0], there=places[1], store=one)


def request(caller: Caller = ALICE, *, barred: bool = False, tool: Tool = WRITE, n: int = 0) -> ApprovalRequest:
    """A new request for a call."""
    call = Call(name=tool.name, arguments={"n": n}, caller=caller)
    binding = bind(tool, call, "scope")
    return ApprovalRequest(
        id=fresh_token(), binding=binding, access="write", shown="Allow?", barred=barred, queued=True
    )
