"""Leases: what one alone may do, for a time, over all replicas.

Each taking has a higher `fence` than the one before. A holder that was too slow finds out when it writes: `held` is a
condition for the WHERE of that very statement.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, and_, exists, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mcpbridge.store.clock import insert_into, now
from mcpbridge.store.schema import leases


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """A lease that was taken. `expires` is in seconds of the Unix epoch by the database's clock."""

    name: str
    holder: str
    fence: int
    expires: float


async def take_lease(connection: AsyncConnection, name: str, *, holder: str, seconds: float) -> Lease | None:
    """The lease, or None while somebody else holds it. Whoever holds it already takes it anew."""
    new = insert_into(connection, leases).values(name=name, holder=holder, fence=1, expires=now() + seconds)
    taken = new.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": holder, "fence": leases.c.fence + 1, "expires": now() + seconds},
        where=or_(leases.c.expires <= now(), leases.c.holder == holder),
    )
    row = (await connection.execute(taken.returning(leases.c.fence, leases.c.expires))).one_or_none()
    return None if row is None else Lease(name=name, holder=holder, fence=row.fence, expires=row.expires)


async def renew_lease(connection: AsyncConnection, lease: Lease, *, seconds: float) -> Lease | None:
    """The lease with a new end, or None where it was lost."""
    renewed = update(leases).where(_current(lease)).values(expires=now() + seconds).returning(leases.c.expires)
    row = (await connection.execute(renewed)).one_or_none()
    return None if row is None else replace(lease, expires=row.expires)


async def release_lease(connection: AsyncConnection, lease: Lease) -> None:
    """Ends the lease, where it is still held. Its row stays, since fences must grow."""
    await connection.execute(update(leases).where(_current(lease)).values(expires=0.0))


def held(lease: Lease) -> ColumnElement[bool]:
    """Whether the lease is still held, as a condition for the statement that it guards."""
    return exists().where(_current(lease))


def _current(lease: Lease) -> ColumnElement[bool]:
    return and_(leases.c.name == lease.name, leases.c.fence == lease.fence, leases.c.expires > now())
