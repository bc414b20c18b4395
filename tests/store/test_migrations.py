"""The schema comes up to date by itself, once, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text, update

from mcpbridge.errors import ConfigError
from mcpbridge.store.migrations import STEPS, migrate, version_of
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import schema_version

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from mcpbridge.store.store import Store


async def add_column(connection: AsyncConnection) -> None:
    await connection.execute(text("ALTER TABLE leases ADD COLUMN note VARCHAR"))


async def add_and_fail(connection: AsyncConnection) -> None:
    await add_column(connection)
    raise ValueError("half")


async def version(store: Store) -> int:
    async with store.read() as connection:
        return await version_of(connection)


async def test_an_opened_store_has_the_newest_schema(store: Store) -> None:
    assert await version(store) == len(STEPS)


async def test_a_missing_step_runs_once(store: Store) -> None:
    for _ in range(2):
        async with store.write() as connection:
            await migrate(connection, lock=store.database.lock, place="", steps=[*STEPS, add_column])

    assert await version(store) == len(STEPS) + 1


async def test_a_step_that_fails_leaves_the_old_schema_whole(store: Store) -> None:
    async def half(connection: AsyncConnection) -> None:
        await migrate(connection, lock=store.database.lock, place="", steps=[*STEPS, add_and_fail])

    with pytest.raises(ValueError, match="half"):
        await store.transact(half)

    assert await version(store) == len(STEPS)
    await store.transact(add_column)


@pytest.mark.req("FLT-27")
async def test_a_newer_schema_is_refused(store: Store, database_url: str) -> None:
    async with store.write() as connection:
        await connection.execute(update(schema_version).values(version=99))
    with pytest.raises(ConfigError, match="has schema 99, and this mcpbridge knows none after 1: upgrade"):
        async with open_store(database_url):
            pass
