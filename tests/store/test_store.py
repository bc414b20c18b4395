"""What every store keeps, on SQLite and on Postgres alike."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from mcpbridge.store.clock import now
from mcpbridge.store.errors import StoreBusy, StoreConflict, StoreReadOnly
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import leases, revisions

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from mcpbridge.store.store import Store


async def tenants(store: Store) -> list[str]:
    async with store.read() as connection:
        return [*await connection.scalars(select(revisions.c.tenant).order_by(revisions.c.tenant))]


async def test_what_was_written_is_read(store: Store) -> None:
    async with store.write() as connection:
        await store.touch(connection, "acme")

    assert await tenants(store) == ["acme"]


async def test_what_fails_leaves_nothing(store: Store) -> None:
    async def fail(connection: AsyncConnection) -> None:
        await store.touch(connection, "acme")
        raise FileNotFoundError("the host's own")

    with pytest.raises(FileNotFoundError, match="own"):
        await store.transact(fail)

    assert await tenants(store) == []


async def test_a_write_that_is_cancelled_leaves_nothing_and_blocks_nobody(store: Store) -> None:
    begun = asyncio.Event()

    async def write() -> None:
        async with store.write() as connection:
            await store.touch(connection, "acme")
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with store.write() as connection:
        await store.touch(connection, "other")

    assert await tenants(store) == ["other"]


async def test_a_record_that_is_there_is_a_conflict(store: Store) -> None:
    async with store.write() as connection:
        await store.touch(connection, "acme")
    with pytest.raises(StoreConflict, match="there already"):
        async with store.write() as connection:
            await connection.execute(insert(revisions).values(tenant="acme", revision=1))


async def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(StoreReadOnly):
        async with store.read() as connection:
            await connection.execute(insert(revisions).values(tenant="acme", revision=1))


async def test_a_reader_sees_what_stood_before_a_write_that_goes_on(store: Store) -> None:
    async with store.write() as connection:
        await store.touch(connection, "acme")
        assert await tenants(store) == []


async def test_the_clock_is_the_databases_and_goes_on_within_a_transaction(store: Store) -> None:
    async with store.read() as connection:
        first = await connection.scalar(select(now()))
        async with asyncio.timeout(5):
            while await connection.scalar(select(now())) == first:
                pass

    assert isinstance(first, float)
    assert first > 1.7e9


async def test_work_that_met_a_lock_is_done_again(store: Store) -> None:
    tries = list[int]()

    async def work(connection: AsyncConnection) -> int:
        tries.append(1)
        if len(tries) == 1:
            raise StoreBusy("busy")
        return await store.touch(connection, "acme")

    assert (await store.transact(work), len(tries)) == (1, 2)


async def test_work_that_meets_a_conflict_is_not_done_again(store: Store) -> None:
    tries = list[int]()

    async def work(connection: AsyncConnection) -> None:
        tries.append(1)
        row = {"name": "n", "holder": "h", "fence": 1, "expires": 0.0}
        await connection.execute(insert(leases), [row, row])

    with pytest.raises(StoreConflict):
        await store.transact(work)

    assert len(tries) == 1


async def test_a_store_in_memory_keeps_the_same_rules_and_ends_with_itself() -> None:
    async with open_store(":memory:", wait=1.0) as store:
        await test_what_was_written_is_read(store)
    async with open_store(":memory:") as store, open_store(":memory:") as other:
        await test_what_fails_leaves_nothing(store)
        await test_what_was_written_is_read(store)
        assert await tenants(other) == []
