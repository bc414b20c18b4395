"""What tenants have, read from the store, and read again when it changed. Needs the extra `store`."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import aclosing

from mcpbridge.gateway.floor import Snapshot
from mcpbridge.integrations import storage
from mcpbridge.integrations.registry import Integrations
from mcpbridge.integrations.stored import StoredIntegration
from mcpbridge.store.changes import changes, revisions_of
from mcpbridge.store.errors import StoreError

logger = logging.getLogger(__name__)

AGAIN = 1.0
"""Seconds until what could not be read is read again; also how often SQLite is looked at."""

Show = Callable[[str, Snapshot], None]
"""Takes a tenant and what it has from now on."""


async def load(integrations: Integrations, show: Show) -> Mapping[str, int]:
    """Shows what each tenant has; gives the revisions that it is at least of.

    Raises: StoreError; ConfigError where stored secrets can't be opened.
    """
    await integrations.check()
    since = await revisions_of(integrations.store)
    for tenant, snapshot in (await snapshots(integrations)).items():
        show(tenant, snapshot)
    return since


async def refresh(integrations: Integrations, tenant: str, show: Show) -> None:
    """Shows what one tenant has. Raises: StoreError."""
    show(tenant, (await snapshots(integrations, tenant)).get(tenant, Snapshot()))


async def follow(integrations: Integrations, since: Mapping[str, int], show: Show) -> None:
    """Shows what a tenant has whenever that changed after `since`, without end."""
    async with aclosing(changes(integrations.store, since=since, interval=AGAIN)) as news:
        async for change in news:
            while True:
                try:
                    await refresh(integrations, change.tenant, show)
                    break
                except StoreError as error:
                    logger.warning("the integrations of a tenant could not be read, and are read again: %s", error)
                    await asyncio.sleep(AGAIN)


async def snapshots(integrations: Integrations, tenant: str | None = None) -> Mapping[str, Snapshot]:
    """The snapshot of one tenant, or of each that has any. Raises: StoreError."""
    own: dict[str, dict[str, StoredIntegration]] = defaultdict(dict)
    off: dict[str, dict[str, StoredIntegration]] = defaultdict(dict)
    for each in await integrations.load(tenant):
        own[each.tenant][each.name] = each
    async with integrations.store.read() as connection:
        switched = await storage.all_switches(connection, tenant)
    for row in switched:
        if row["slug"] in integrations.system.records and not row["enabled"]:
            off[row["tenant"]][row["slug"]] = integrations.system.of_tenant(row["slug"], row["tenant"], row)
    return {name: Snapshot(own=own[name], off=off[name]) for name in {*own, *off}}
