"""`Store`: transactions that read or write, and errors that say what to do."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncTransaction

from mcpbridge.errors import ConfigError
from mcpbridge.store.clock import insert_into
from mcpbridge.store.database import Database
from mcpbridge.store.errors import StoreBusy, StoreOutcomeUnknown, StoreUnavailable
from mcpbridge.store.failures import store_error
from mcpbridge.store.migrations import STEPS, check_version, migrate, version_of
from mcpbridge.store.schema import revisions

T = TypeVar("T")

ATTEMPTS = 3


class Store:
    """A database that is open from `async with` on. `open_store` makes one.

    It belongs to one asyncio event loop of one process. What `read` and `write` give is SQLAlchemy's connection, in a
    transaction; an error of the database leaves their block as a `StoreError`.

    `wait` is how many seconds a lock, or a free connection, is waited for. Two transactions of one task, one inside the
    other, may wait for each other: end the first before the second begins.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.place = database.place
        self._home: tuple[int, asyncio.AbstractEventLoop] | None = None

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that can't write.

        Raises: StoreError; ConfigError in another event loop or process than the one the store was opened in.
        """
        self._check_home()
        with self._translated():
            async with self._begun(self.database.reader) as (connection, _):
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that writes, all of it or nothing. On SQLite it is the only one from its beginning on.

        Raises: StoreError; StoreOutcomeUnknown where the connection was lost while it was committed; ConfigError in
        another event loop or process than the one the store was opened in.
        """
        self._check_home()
        with self._translated():
            async with self._begun(self.database.writer) as (connection, transaction):
                yield connection
                await self._commit(transaction)

    async def transact(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """What `work` gives, called within `write`, and called again where nothing can have been written.

        That is a busy store, and a connection lost before the commit; at most three times, and not after `wait`
        seconds. `work` must do nothing but use its connection.

        Raises: as `write` does.
        """
        loop = _loop()
        until = loop.time() + self.database.wait
        for attempt in range(1, ATTEMPTS):
            try:
                return await self._transact(work)
            except (StoreBusy, StoreUnavailable):
                if loop.time() >= until:
                    raise
                await asyncio.sleep(random.uniform(0.02, 0.1) * attempt)  # noqa: S311 - jitter, no secret
        return await self._transact(work)

    async def touch(self, connection: AsyncConnection, tenant: str) -> int:
        """Tells every replica, with this transaction's commit, that the tenant's records changed; gives the revision.

        Transactions that touch one tenant wait for each other.
        """
        new = insert_into(connection, revisions).values(tenant=tenant, revision=1)
        grown = new.on_conflict_do_update(index_elements=["tenant"], set_={"revision": revisions.c.revision + 1})
        revision = await connection.scalar(grown.returning(revisions.c.revision))
        await self.tell(connection)
        return int(revision or 0)

    async def tell(self, connection: AsyncConnection) -> None:
        """Wakes whoever waits for a change, on every replica, with this transaction's commit."""
        if self.database.tell is not None:
            await connection.execute(text(self.database.tell))

    @asynccontextmanager
    async def changed(self, interval: float) -> AsyncGenerator[Callable[[], Awaitable[None]]]:
        """What waits until any record may have changed since it waited last; see `mcpbridge.store.changes`.

        Raises: StoreError.
        """
        self._check_home()
        with self._translated():
            async with self.database.changed(interval) as changed:
                yield changed

    async def __aenter__(self) -> Self:
        if self._home is not None:
            raise ConfigError(f"the store {self.place} is open already: enter it once, and share it")
        self._home = (os.getpid(), _loop())
        try:
            with self._translated():
                self.database.prepare()
            await self._migrate()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._check_home()
        await self._close()

    async def _migrate(self) -> None:
        async with self.read() as connection:
            found = await version_of(connection)
        check_version(found, self.place)
        if found < len(STEPS):
            async with self.write() as connection:
                await migrate(connection, lock=self.database.lock, place=self.place)

    async def _close(self) -> None:
        self._home = None
        await self.database.reader.dispose()
        await self.database.writer.dispose()

    async def _transact(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async with self.write() as connection:
            return await work(connection)

    @asynccontextmanager
    async def _begun(self, engine: AsyncEngine) -> AsyncGenerator[tuple[AsyncConnection, AsyncTransaction]]:
        """A connection with a transaction, that is rolled back at the end unless it was committed."""
        async with engine.connect() as connection:
            yield connection, await connection.begin()

    async def _commit(self, transaction: AsyncTransaction) -> None:
        try:
            await transaction.commit()
        except Exception as error:  # whatever the driver raises: only the database's verdict matters
            if self.database.ambiguous(error):
                raise StoreOutcomeUnknown(
                    f"the store {self.place}: the connection was lost during a commit; "
                    "read what stands before writing it again"
                ) from error
            raise

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except Exception as error:  # looked at by type and code; what is not the database's is raised as it is
            told = store_error(error, self.place)
            if told is None:
                raise
            raise told from error

    def _check_home(self) -> None:
        if self._home is None:
            raise ConfigError(f"the store {self.place} is not open: enter it with `async with`")
        process, loop = self._home
        if process != os.getpid():
            raise ConfigError(f"the store {self.place} was opened before a fork: open it in each process")
        if loop is not _loop():
            raise ConfigError(f"the store {self.place} was opened in another event loop: open it in each loop")


def _loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigError("a store needs a running asyncio event loop; other loops, as trio's, are not known") from None
