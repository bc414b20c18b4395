"""A lease is held by one alone, and a slow holder finds out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from mcpbridge.store.leases import Lease, held, release_lease, renew_lease, take_lease
from mcpbridge.store.schema import leases, revisions

if TYPE_CHECKING:
    from mcpbridge.store.store import Store


async def take(store: Store, holder: str, seconds: float = 60.0) -> Lease | None:
    async with store.write() as connection:
        return await take_lease(connection, "refresh", holder=holder, seconds=seconds)


async def expire(store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(update(leases).values(expires=1.0))


async def test_one_of_twenty_takes_it(store: Store) -> None:
    taken = await asyncio.gather(*(take(store, str(number)) for number in range(20)))

    assert len([lease for lease in taken if lease]) == 1


async def test_who_holds_it_takes_it_anew_with_a_higher_fence(store: Store) -> None:
    first, again = await take(store, "a"), await take(store, "a")

    assert first
    assert again
    assert (first.fence, again.fence) == (1, 2)


async def test_a_lease_that_ran_out_is_taken_and_the_old_holder_can_write_no_more(store: Store) -> None:
    old = await take(store, "a")
    await expire(store)
    new = await take(store, "b")

    assert old
    assert new
    assert new.fence > old.fence
    assert await guarded_write(store, new) == 1
    assert await guarded_write(store, old) == 0
    async with store.write() as connection:
        assert await renew_lease(connection, old, seconds=60) is None


async def guarded_write(store: Store, lease: Lease) -> int:
    async with store.write() as connection:
        await connection.execute(insert(revisions).values(tenant=lease.holder, revision=1))
        written = await connection.execute(update(revisions).where(held(lease)).values(revision=7))
        return int(written.rowcount > 0)


async def test_a_renewed_lease_lasts_longer_and_a_released_one_is_free_at_once(store: Store) -> None:
    lease = await take(store, "a", seconds=30.0)
    assert lease
    async with store.write() as connection:
        renewed = await renew_lease(connection, lease, seconds=600.0)
        assert renewed
        assert renewed.expires > lease.expires + 500
        await release_lease(connection, renewed)
    after = await take(store, "b")

    assert after
    assert after.fence == 2


async def test_times_are_those_of_the_database(store: Store) -> None:
    lease = await take(store, "a", seconds=60.0)
    async with store.read() as connection:
        expires = await connection.scalar(select(leases.c.expires))

    assert lease
    assert lease.expires == expires
    assert lease.expires > 1.7e9
