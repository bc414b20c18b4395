"""`changes`: which tenants' records changed, on whichever replica."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from mcpbridge.store.errors import StoreBusy, StoreUnavailable
from mcpbridge.store.schema import revisions
from mcpbridge.store.store import Store

logger = logging.getLogger(__name__)

INTERVAL = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class TenantChange:
    """A tenant's records changed; `revision` says how often so far."""

    tenant: str
    revision: int


async def revisions_of(store: Store) -> dict[str, int]:
    """How often each tenant's records changed so far. Raises: StoreError."""
    async with store.read() as connection:
        rows = await connection.execute(select(revisions.c.tenant, revisions.c.revision))
        return {row.tenant: row.revision for row in rows}


async def changes(
    store: Store, *, since: Mapping[str, int], interval: float = INTERVAL
) -> AsyncGenerator[TenantChange]:
    """What changed after `since` (see `revisions_of`), without end: `Store.touch` says that something did.

    Several changes of a tenant that come together are one. Postgres tells at once; SQLite is looked at every `interval`
    seconds. While the store can't be reached it is tried again, every `interval` too, and nothing is missed. It holds
    one connection: have one per process, and leave it by `contextlib.aclosing`.

    Raises: StoreError, for what does not pass by itself.
    """
    known = {**since}
    while True:
        try:
            async with store.changed(interval) as changed:
                while True:
                    found = await revisions_of(store)
                    for tenant in [tenant for tenant, revision in found.items() if revision > known.get(tenant, 0)]:
                        known[tenant] = found[tenant]
                        yield TenantChange(tenant=tenant, revision=found[tenant])
                    await changed()
        except (StoreBusy, StoreUnavailable) as error:
            logger.warning("changes are not heard of until the store answers again: %s", error)
            await asyncio.sleep(interval)
