"""`Approvals`: requests for approval in a store, which every replica sees."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import ClassVar, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from mcpbridge.approvals.events import event_of
from mcpbridge.approvals.rows import Read, Rows
from mcpbridge.audit.stored import StoreSink
from mcpbridge.errors import ConfigError
from mcpbridge.store.changes import INTERVAL
from mcpbridge.store.errors import StoreError
from mcpbridge.store.store import Store
from mcpbridge.wrap.approval import CLAIM, ApprovalRequest, ApprovalState, ApprovalsUnavailable, Binding
from mcpbridge.wrap.approval_store import KEPT, ApprovalStore

logger = logging.getLogger(__name__)

T = TypeVar("T")

OPEN: tuple[ApprovalState, ...] = ("pending", "approved", "claimed")
"""The states from which a request still goes on by itself."""


class Approvals(ApprovalStore):
    """Requests in a store: they outlive a restart, are decided from any replica, and are audited as they change.

    audit       where each change is recorded, in the transaction of the change; by default in the same store
    per_caller  bounds the requests of one caller; beyond it the oldest is forgotten, and its call asked for again
    claim       seconds after an approval's end when a call that it let through, and that nobody finished, is `unknown`
    interval    seconds after which a decision made elsewhere is heard of at the latest; Postgres tells at once

    Times are by the database's clock, which all replicas share. What is `unknown` is never run again by itself, and is
    kept until somebody who has looked says what happened: `resolve`.
    """

    shared: ClassVar[bool] = True

    def __init__(
        self,
        store: Store,
        *,
        audit: StoreSink | None = None,
        per_caller: int = 100,
        claim: float = CLAIM,
        interval: float = INTERVAL,
    ) -> None:
        super().__init__(clock=lambda: time.monotonic() + self._ahead)
        if per_caller < 1 or claim < 0 or interval <= 0:
            raise ConfigError("Approvals needs per_caller >= 1, claim >= 0 and interval > 0")
        self.store = store
        self.audit = audit or StoreSink(store)
        self._per_caller = per_caller
        self._interval = interval
        self._rows = Rows(claim=claim)
        self._ahead = time.time() - time.monotonic()
        self._waiters = 0
        self._listener: asyncio.Task[None] | None = None

    async def add(self, request: ApprovalRequest, lifetime: float) -> ApprovalRequest:
        async def write(connection: AsyncConnection) -> Read:
            await self._rows.make_room(connection, request.caller, self._per_caller - 1)
            read = await self._rows.add(connection, request, lifetime)
            await self._record(connection, None, read.request, read.at)
            return read

        read = await self._transact(write)
        self._tell()
        return self._timed(read)

    async def get(self, id: str) -> ApprovalRequest | None:
        with _available():
            async with self.store.read() as connection:
                read = await self._rows.get(connection, id)
        return None if read is None else self._timed(read)

    async def find(self, binding: Binding) -> ApprovalRequest | None:
        with _available():
            async with self.store.read() as connection:
                read = await self._rows.find(connection, binding)
        return None if read is None else self._timed(read)

    async def in_doubt(self, binding: Binding) -> bool:
        with _available():
            async with self.store.read() as connection:
                return await self._rows.in_doubt(connection, binding)

    async def swap(self, old: ApprovalRequest, new: ApprovalRequest) -> ApprovalRequest | None:
        kept = replace(new, version=old.version + 1)

        async def write(connection: AsyncConnection) -> bool:
            at = await self._rows.swap(connection, old, kept)
            if at is not None:
                await self._record(connection, old, kept, at)
            return at is not None

        if not await self._transact(write):
            return None
        self._tell()
        return kept

    async def waiting(self, tenant: str | None = None) -> Sequence[ApprovalRequest]:
        return await self.requests(tenant, states=("pending",), limit=None)

    async def requests(
        self, tenant: str | None = None, *, states: Sequence[ApprovalState], limit: int | None = 100
    ) -> Sequence[ApprovalRequest]:
        """The requests in these states, oldest first; of one tenant, or of all. For a host's own page."""
        with _available():
            async with self.store.read() as connection:
                found = await self._rows.all(connection, tenant=tenant, states=states, limit=limit)
        return [self._timed(read) for read in found]

    async def changes(self, tenant: str | None = None) -> AsyncGenerator[ApprovalRequest]:
        """The open requests, then each as it is made, decided, used, or expires, on whichever replica, without end.

        Several changes of one request that come together are one. Leave it by `contextlib.aclosing`.
        """
        async with self._listening():
            known: dict[str, ApprovalRequest] = {}
            while True:
                news = self._news
                found = await self._open(tenant)
                for key, request in found.items():
                    if key not in known or known[key].state != request.state:
                        yield request
                for key in known.keys() - found.keys():
                    if (ended := await self.get(key)) is not None:
                        yield ended
                known = found
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._until_next(found.values())):
                        await news.wait()

    async def forget(self, seconds: float = KEPT) -> int:
        """Removes the requests that expired more than so many seconds ago, and says how many.

        What is `unknown` stays. Call it now and then, from one replica or from all.
        """

        async def write(connection: AsyncConnection) -> int:
            return await self._rows.forget(connection, seconds)

        return await self._transact(write)

    async def _open(self, tenant: str | None) -> dict[str, ApprovalRequest]:
        return {one.id: one for one in await self.requests(tenant, states=OPEN, limit=None)}

    def _until_next(self, requests: Iterable[ApprovalRequest]) -> float | None:
        """Seconds until the next of them expires, which nobody tells of; None where there is none."""
        ends = [request.expires - self.clock() for request in requests if request.state != "claimed"]
        return max(0.01, min(ends)) if ends else None

    async def _record(
        self, connection: AsyncConnection, old: ApprovalRequest | None, new: ApprovalRequest, at: float
    ) -> None:
        """Tells replicas and the audit of a change of state, with the transaction that makes it."""
        event = event_of(old, new, at)
        if event is not None:
            await self.store.tell(connection)
            await self.audit.record(connection, event)

    async def _transact(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        with _available():
            return await self.store.transact(work)

    def _timed(self, read: Read) -> ApprovalRequest:
        """The request; how far the database's clock is ahead of ours is noted by the way."""
        self._ahead = read.at - time.monotonic()
        return read.request

    @asynccontextmanager
    async def _listening(self) -> AsyncGenerator[None]:
        self._waiters += 1
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen(), name="mcpbridge approvals")
        try:
            yield
        finally:
            self._waiters -= 1
            if not self._waiters:
                task, self._listener = self._listener, None
                task.cancel()
                await asyncio.wait([task])

    async def _listen(self) -> None:
        """Wakes whoever waits when records may have changed elsewhere, and once it hears of changes at all."""
        while True:
            try:
                async with self.store.changed(self._interval) as changed:
                    while True:
                        self._tell()
                        await changed()
            except StoreError as error:
                logger.warning("decisions made elsewhere are not heard of until the store answers again: %s", error)
                await asyncio.sleep(self._interval)


@contextmanager
def _available() -> Generator[None]:
    try:
        yield
    except StoreError as error:
        raise ApprovalsUnavailable(f"approvals can't be read or written: {error}") from error
