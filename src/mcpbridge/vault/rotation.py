"""Rotation: data keys wrapped anew by the newest key, while everybody goes on reading and writing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import RowMapping, Table, and_, bindparam, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mcpbridge.store.schema import logins, secrets, tokens
from mcpbridge.store.store import Store

SEALED: Sequence[Table] = (secrets, tokens, logins)
"""The tables whose rows are envelopes."""

Rewrap: TypeAlias = Callable[[str, bytes], Awaitable[bytes | None]]
"""Takes a key's id and a data key wrapped by it; gives it wrapped by the newest key, or None where it does not open."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotation:
    """How many data keys were wrapped anew, and how many could not be: those were changed by somebody, or are lost."""

    rewrapped: int
    left: int


async def rotate(store: Store, newest: str, rewrap: Rewrap, batch: int) -> Rotation:
    """Passes over every table until no row is left that opens and is not under the newest key."""
    rewrapped = 0
    for table in SEALED:
        while count := await _pass(store, table, newest, rewrap, batch):
            rewrapped += count
    return Rotation(rewrapped=rewrapped, left=sum((await key_ids(store, without=(newest,))).values()))


async def key_ids(store: Store, *, without: Sequence[str]) -> dict[str, int]:
    """How many rows there are under each other key."""
    found: dict[str, int] = {}
    async with store.read() as connection:
        for table in SEALED:
            each = table.c.key_id
            counted = select(each, func.count()).where(each.not_in(without)).group_by(each)
            for key_id, count in await connection.execute(counted):
                found[key_id] = found.get(key_id, 0) + count
    return found


async def _pass(store: Store, table: Table, newest: str, rewrap: Rewrap, batch: int) -> int:
    """One walk in the order of the primary key; what changes meanwhile is left to the next."""
    columns = (*table.primary_key.columns,)
    old = select(*columns, table.c.key_id, table.c.wrapped).where(table.c.key_id != newest)
    old = old.order_by(*columns).limit(batch)
    rewrapped, rows = 0, await _rows(store, old)
    while rows:
        changes = [change for row in rows if (change := await _change(row, rewrap))]
        await _swap(store, table, newest, changes)
        rewrapped += len(changes)
        last = tuple(rows[-1][column.name] for column in columns)
        rows = await _rows(store, old.where(tuple_(*columns) > last))
    return rewrapped


async def _rows(store: Store, query: Any) -> Sequence[RowMapping]:
    async with store.read() as connection:
        return (await connection.execute(query)).mappings().all()


async def _change(row: RowMapping, rewrap: Rewrap) -> dict[str, Any] | None:
    """The values of one row's update; no transaction is open while a key's holder is asked."""
    anew = await rewrap(row["key_id"], row["wrapped"])
    return None if anew is None else {**{f"old_{name}": value for name, value in row.items()}, "anew": anew}


async def _swap(store: Store, table: Table, newest: str, changes: Sequence[dict[str, Any]]) -> None:
    """Compare-and-set: a row that a writer has replaced meanwhile is left as it is."""
    if not changes:
        return
    compared = (*table.primary_key.columns, table.c.key_id, table.c.wrapped)
    same = and_(*(column == bindparam(f"old_{column.name}") for column in compared))
    statement = update(table).where(same).values(key_id=newest, wrapped=bindparam("anew"))

    async def write(connection: AsyncConnection) -> None:
        await connection.execute(statement, changes)

    await store.transact(write)
