"""The schema's versions: how a database gets from each to the next, by itself, once.

A step only adds, so that replicas of the version before it go on working while the newer ones start.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from sqlalchemy import insert, inspect, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mcpbridge.errors import ConfigError
from mcpbridge.store.schema import metadata, schema_version

Step: TypeAlias = Callable[[AsyncConnection], Awaitable[None]]


async def _create(connection: AsyncConnection) -> None:
    """Version 1."""
    await connection.run_sync(metadata.create_all)


STEPS: Sequence[Step] = (_create,)
"""The first step gives version 1, and so on."""


async def version_of(connection: AsyncConnection) -> int:
    """The version of the database's schema, 0 where there is none."""
    if not await connection.run_sync(lambda bound: inspect(bound).has_table(schema_version.name)):
        return 0
    return await connection.scalar(select(schema_version.c.version)) or 0


def check_version(found: int, place: str, known: int = len(STEPS)) -> None:
    """Raises: ConfigError where a newer library has written the schema."""
    if found > known:
        raise ConfigError(
            f"the store {place} has schema {found}, and this mcpbridge knows none after {known}: upgrade mcpbridge"
        )


async def migrate(connection: AsyncConnection, *, lock: str | None, place: str, steps: Sequence[Step] = STEPS) -> None:
    """Runs the missing steps in the transaction of this connection; whoever else wants to waits for its end.

    Raises: ConfigError.
    """
    if lock is not None:
        await connection.execute(text(lock))
    found = await version_of(connection)
    check_version(found, place, len(steps))
    for step in steps[found:]:
        await step(connection)
    if found == 0:
        await connection.execute(insert(schema_version).values(version=len(steps)))
    elif found < len(steps):
        await connection.execute(update(schema_version).values(version=len(steps)))
