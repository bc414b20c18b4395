"""Changes are heard of on every replica."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from mcpbridge.store.changes import TenantChange, changes, revisions_of
from mcpbridge.store.open import open_store

if TYPE_CHECKING:
    from mcpbridge.store.store import Store


async def touch(store: Store, tenant: str) -> None:
    async with store.write() as connection:
        await store.touch(connection, tenant)


async def test_another_replica_hears_of_a_change_within_two_seconds(store: Store, database_url: str) -> None:
    await touch(store, "old")
    async with open_store(database_url) as other, aclosing(changes(other, since=await revisions_of(other))) as heard:
        change = asyncio.ensure_future(anext(heard))
        await touch(store, "acme")
        async with asyncio.timeout(2):
            assert await change == TenantChange(tenant="acme", revision=1)


async def test_a_change_made_before_anyone_listens_is_heard_of(store: Store) -> None:
    since = await revisions_of(store)
    await touch(store, "acme")
    await touch(store, "acme")
    async with aclosing(changes(store, since=since, interval=0.02)) as heard, asyncio.timeout(5):
        assert await anext(heard) == TenantChange(tenant="acme", revision=2)
        await touch(store, "acme")
        assert (await anext(heard)).revision == 3


async def test_what_was_rolled_back_is_no_change(store: Store) -> None:
    async with aclosing(changes(store, since={}, interval=0.02)) as heard, asyncio.timeout(5):
        change = asyncio.ensure_future(anext(heard))
        async with store.database.writer.connect() as connection:
            await store.touch(connection, "lost")
            await connection.rollback()
        await touch(store, "acme")
        assert (await change).tenant == "acme"
