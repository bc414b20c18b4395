"""The rows of integrations: plain SQL, always by tenant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mcpbridge.integrations.stored import StoredIntegration
from mcpbridge.store.clock import insert_into, now
from mcpbridge.store.schema import enablements, integrations, logins, secrets, tokens
from mcpbridge.tools import Caller, Json

ID = "int_"
"""How an id begins; a slug holds no underscore, so that a key is one or the other."""

_COLUMN = integrations.c
_OWNER = _COLUMN.record["owner"].as_string()


def of_caller(caller: Caller) -> ColumnElement[bool]:
    """What a caller may know of: its tenant's integrations, but for private ones of others."""
    mine = or_(_OWNER.is_(None), _OWNER.in_([caller.user or ""]))
    return and_(_COLUMN.tenant == caller.tenant, mine)


async def find(connection: AsyncConnection, caller: Caller, key: str) -> StoredIntegration | None:
    """By slug or id, in one query that is the same for what is missing and what is somebody else's."""
    column = _COLUMN.id if key.startswith(ID) else _COLUMN.slug
    found = await connection.execute(select(integrations).where(of_caller(caller), column == key))
    row = found.mappings().one_or_none()
    return None if row is None else stored(row)


async def find_all(
    connection: AsyncConnection, which: ColumnElement[bool], *, limit: int | None = None
) -> Sequence[StoredIntegration]:
    """Those for which this holds, ordered by tenant and slug."""
    query = select(integrations).where(which).order_by(_COLUMN.tenant, _COLUMN.slug).limit(limit)
    return [stored(row) for row in (await connection.execute(query)).mappings()]


async def taken(connection: AsyncConnection, tenant: str, names: Iterable[str]) -> set[str]:
    """Which of these slugs the tenant has."""
    found = select(_COLUMN.slug).where(_COLUMN.tenant == tenant)
    return {*await connection.scalars(found)}.intersection(names)


async def add(connection: AsyncConnection, new: Sequence[StoredIntegration]) -> None:
    """New rows, in one statement; a slug that is taken fails it."""
    await connection.execute(insert(integrations), [_row(each) for each in new])


async def swap(connection: AsyncConnection, old: StoredIntegration, new: StoredIntegration) -> bool:
    """Puts the new in the place of the old, unless that has changed since: one statement decides."""
    same = (_COLUMN.tenant == old.tenant, _COLUMN.id == old.id, _COLUMN.revision == old.revision)
    return (await connection.execute(update(integrations).where(*same).values(**_row(new)))).rowcount == 1


async def stands(connection: AsyncConnection, old: StoredIntegration) -> bool:
    """Whether the integration is still at this revision."""
    same = (_COLUMN.tenant == old.tenant, _COLUMN.id == old.id, _COLUMN.revision == old.revision)
    return bool(await connection.scalar(select(exists().where(*same))))


async def remove(connection: AsyncConnection, caller: Caller, id: str) -> StoredIntegration | None:
    """Deletes one of the caller's integrations, its secrets, its tokens and the logins that were begun for it.

    Gives it as it stood, or None where it is not there (any more). Its own row goes first: that waits for an update
    under way, whose secrets are seen, and deleted, by what comes after.
    """
    gone = delete(integrations).where(of_caller(caller), _COLUMN.id == id).returning(integrations)
    row = (await connection.execute(gone)).mappings().one_or_none()
    if row is None:
        return None
    for table in (secrets, tokens, logins):
        await connection.execute(delete(table).where(table.c.tenant == caller.tenant, table.c.integration == id))
    return stored(row)


async def switches(connection: AsyncConnection, tenant: str) -> Mapping[str, RowMapping]:
    """Which system integrations the tenant has switched, by slug."""
    rows = await connection.execute(select(enablements).where(enablements.c.tenant == tenant))
    return {row["slug"]: row for row in rows.mappings()}


async def all_switches(connection: AsyncConnection, tenant: str | None = None) -> Sequence[RowMapping]:
    """Which system integrations one tenant has switched, or every one."""
    which = select(enablements) if tenant is None else select(enablements).where(enablements.c.tenant == tenant)
    return [*(await connection.execute(which)).mappings()]


async def switch(connection: AsyncConnection, tenant: str, slug: str, *, enabled: bool, reason: str) -> None:
    """Switches a system integration on or off, for one tenant."""
    values = {"enabled": enabled, "reason": reason, "updated": now()}
    new = insert_into(connection, enablements).values(tenant=tenant, slug=slug, revision=2, **values)
    grown = {**values, "revision": enablements.c.revision + 1}
    await connection.execute(new.on_conflict_do_update(index_elements=["tenant", "slug"], set_=grown))


async def clock(connection: AsyncConnection) -> float:
    """The database's time, in seconds of the Unix epoch."""
    return float(await connection.scalar(select(now())) or 0.0)


def stored(row: RowMapping) -> StoredIntegration:
    """The integration of a row."""
    document: Mapping[str, Json] = row["record"]
    return StoredIntegration(
        id=row["id"],
        tenant=row["tenant"],
        name=row["slug"],
        revision=row["revision"],
        state=row["state"],
        enabled=row["enabled"],
        created_at=row["created"],
        updated_at=row["updated"],
        document=document,
    )


def _row(each: StoredIntegration) -> dict[str, Any]:
    return {
        "id": each.id,
        "tenant": each.tenant,
        "slug": each.name,
        "revision": each.revision,
        "category": each.document.get("category", ""),
        "state": each.state,
        "enabled": each.enabled,
        "record": each.document,
        "created": each.created_at,
        "updated": each.updated_at,
    }
