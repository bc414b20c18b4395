"""The audit in a store, on SQLite and on Postgres alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest
from audited import CANCELLED, events
from sqlalchemy import delete, func, select, update

from mcpbridge.audit.stored import StoreSink
from mcpbridge.store.errors import StoreError, StoreOutcomeUnknown, StoreUnavailable
from mcpbridge.store.schema import audit, audit_chains
from mcpbridge.store.store import Store
from mcpbridge.tools import Caller

if TYPE_CHECKING:
    from sqlalchemy import Executable
    from sqlalchemy.ext.asyncio import AsyncConnection


async def change(store: Store, *statements: Executable) -> None:
    async with store.write() as connection:
        for statement in statements:
            await connection.execute(statement)


async def filled(store: Store, count: int = 5) -> StoreSink:
    sink = StoreSink(store, writer="replica-1")
    await sink.append(events(count))
    return sink


async def test_what_was_written_stands(store: Store) -> None:
    sink = await filled(store, 1500)
    await StoreSink(store).append([CANCELLED])

    assert await sink.verify() == []
    async with store.read() as connection:
        row = (await connection.execute(select(audit).where(audit.c.number == 2))).one()
    assert (row.tenant, row.kind, row.at) == ("acme", "call", 1.5)


@pytest.mark.req("ATK-63", "AUD-01")
async def test_an_edited_row_is_named(store: Store) -> None:
    sink = await filled(store)
    await change(
        store, update(audit).where(audit.c.number == 3).values(entry=func.replace(audit.c.entry, "ada", "eve"))
    )
    [problem] = await sink.verify()

    assert (problem.writer, problem.number, problem.message) == ("replica-1", 3, "it was changed")


@pytest.mark.parametrize("entry", ["", "{", "null", "[]", "{}", '{"kind":"call","who":5}'])
async def test_a_row_that_holds_no_event_any_more_is_named(store: Store, entry: str) -> None:
    sink = await filled(store)
    await change(store, update(audit).where(audit.c.number == 2).values(entry=entry))

    assert [problem.number for problem in await sink.verify()] == [2]


@pytest.mark.req("ATK-63", "AUD-01")
async def test_a_deleted_row_is_named(store: Store) -> None:
    sink = await filled(store)
    await change(store, delete(audit).where(audit.c.number == 2))
    [problem] = await sink.verify()

    assert (problem.number, problem.message) == (2, "entry 2 is missing")


async def test_another_hash_is_named(store: Store) -> None:
    sink = await filled(store)
    other = StoreSink(store, writer="forger")
    await other.append([CANCELLED])
    [forged] = [end.hash for end in await other.ends() if end.writer == "forger"]
    last = update(audit).where(audit.c.writer == "replica-1", audit.c.number == 5)
    await change(store, last.values(hash=forged))

    assert [problem.number for problem in await sink.verify()] == [5]


@pytest.mark.parametrize("column", ["at", "tenant", "kind"])
async def test_a_column_that_does_not_fit_its_entry_is_named(store: Store, column: str) -> None:
    sink = await filled(store)
    values = {column: 7.0 if column == "at" else "other"}
    await change(store, update(audit).where(audit.c.number == 4).values(values))

    assert [problem.number for problem in await sink.verify()] == [4]


async def test_rows_cut_off_the_end_are_missed(store: Store) -> None:
    sink = await filled(store)
    await change(store, delete(audit).where(audit.c.number > 3))

    assert [problem.number for problem in await sink.verify()] == [4]


async def test_an_end_kept_elsewhere_shows_what_the_store_alone_can_not(store: Store) -> None:
    sink = await filled(store)
    known = await sink.ends()
    await change(store, delete(audit), delete(audit_chains))

    assert await sink.verify() == []
    assert [problem.writer for problem in await sink.verify(known=known)] == ["replica-1"]
    await sink.append([CANCELLED] * 7)
    assert [problem.number for problem in await sink.verify(known=known)] == [5]


@pytest.mark.req("AUD-01")
async def test_a_change_and_its_record_are_one_transaction(store: Store) -> None:
    sink = StoreSink(store)

    async def change_and_fail(connection: AsyncConnection) -> None:
        await store.touch(connection, "acme")
        await sink.record(connection, replace(CANCELLED, kind="change", action="create"))
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        await store.transact(change_and_fail)
    await sink.append([CANCELLED])

    assert await sink.verify() == []
    assert [end.number for end in await sink.ends()] == [1]


async def test_transactions_of_one_writer_at_once_are_one_chain(store: Store) -> None:
    sink = StoreSink(store)
    await asyncio.gather(*(sink.append([each]) for each in events(20)))

    assert await sink.verify() == []
    assert [end.number for end in await sink.ends()] == [20]


class Losing(Store):
    """Raises what `errors` says: a lost commit has come through all the same, anything else happens before it."""

    errors: ClassVar[list[StoreError]] = []

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        error = self.errors.pop(0) if self.errors else None
        if error is not None and not isinstance(error, StoreOutcomeUnknown):
            raise error
        async with super().write() as connection:
            yield connection
        if error is not None:
            raise error


async def test_a_commit_that_came_through_unseen_is_not_written_twice(store: Store) -> None:
    losing = Losing(store.database)
    sink = StoreSink(losing)
    async with losing:
        Losing.errors[:] = [StoreOutcomeUnknown("lost"), StoreUnavailable("still away")]
        with pytest.raises(StoreOutcomeUnknown):
            await sink.append(events(2))
        with pytest.raises(StoreUnavailable):
            await sink.append(events(2))
        await sink.append(events(2))
        await sink.append(events(2))

        assert [end.number for end in await sink.ends()] == [4]


@pytest.mark.req("ATK-63")
async def test_hostile_names_are_written_as_one_harmless_line(store: Store) -> None:
    hostile = "x\n\x1b[31m\x7f\x00\ud800\u202e" + "y" * 10_000
    sink = StoreSink(store)
    await sink.append([replace(CANCELLED, what=hostile, caller=Caller(tenant=hostile))])
    async with store.read() as connection:
        line = await connection.scalar(select(audit.c.entry))

    assert await sink.verify() == []
    assert isinstance(line, str)
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 2000
