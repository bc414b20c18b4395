"""Each change of integrations as one transaction: rows, secrets, the news for other replicas, and the audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy.ext.asyncio import AsyncConnection

from mcpbridge.audit.stored import StoreSink
from mcpbridge.integrations import storage
from mcpbridge.integrations.changes import Change, events_of
from mcpbridge.integrations.credentials import credentials
from mcpbridge.integrations.hooks import Action
from mcpbridge.integrations.merge import changed_fields
from mcpbridge.integrations.record import Integration
from mcpbridge.integrations.relaxed import relaxed
from mcpbridge.integrations.sealing import Sealed, noted, sealed
from mcpbridge.integrations.stored import StoredIntegration, first, following
from mcpbridge.integrations.system import SystemRegistry
from mcpbridge.store.store import Store
from mcpbridge.tools import Caller
from mcpbridge.vault.vault import Vault


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """Writes what was decided. Each method raises StoreError and KeyUnavailable, and has then written nothing."""

    store: Store
    vault: Vault | None
    audit: StoreSink | None

    async def add(self, caller: Caller, new: Sequence[tuple[str, Integration]]) -> Sequence[StoredIntegration]:
        """New integrations of the caller's tenant, by their ids. Raises: StoreConflict for a slug that is taken."""
        secret = [
            pair
            for key, record in new
            for pair in await sealed(self.vault, record, tenant=caller.tenant, id=key, revision=1)
        ]

        async def write(connection: AsyncConnection) -> Sequence[StoredIntegration]:
            at = await storage.clock(connection)
            made = [first(caller.tenant, key, noted(record, revision=1, at=at), at) for key, record in new]
            await storage.add(connection, made)
            changes = [
                Change(action="create", made=each, relaxed=relaxed(None, record))
                for each, (_, record) in zip(made, new, strict=True)
            ]
            await self._settle(connection, caller, secret, changes)
            return made

        return await self.store.transact(write)

    async def swap(
        self, caller: Caller, old: StoredIntegration, new: Integration, action: Action
    ) -> StoredIntegration | None:
        """The new record in the place of the old one, or None where that has changed meanwhile."""
        revision = old.revision + 1
        secret = await sealed(self.vault, new, tenant=old.tenant, id=old.id, revision=revision)
        gone = [path for path in credentials(old.record) if path not in credentials(new)]
        fields = sorted(changed_fields(old.record, new))

        async def write(connection: AsyncConnection) -> StoredIntegration | None:
            at = await storage.clock(connection)
            made = following(old, noted(new, revision=revision, at=at), at)
            if not await storage.swap(connection, old, made):
                return None
            if self.vault is not None and gone:
                await self.vault.forget(connection, old.tenant, old.id, gone)
            change = Change(action=action, made=made, fields=fields, relaxed=relaxed(old.record, new))
            await self._settle(connection, caller, secret, [change])
            return made

        return await self.store.transact(write)

    async def remove(self, caller: Caller, id: str) -> bool:
        """Deletes an integration with all that belongs to it; False where the caller has none of this id any more."""

        async def write(connection: AsyncConnection) -> bool:
            gone = await storage.remove(connection, caller, id)
            if gone is not None:
                await self._settle(connection, caller, (), [Change(action="delete", made=gone)])
            return gone is not None

        return await self.store.transact(write)

    async def switch(
        self, caller: Caller, system: SystemRegistry, name: str, *, enabled: bool, reason: str
    ) -> StoredIntegration:
        """A system integration, switched on or off for the caller's tenant."""

        async def write(connection: AsyncConnection) -> StoredIntegration:
            await storage.switch(connection, caller.tenant, name, enabled=enabled, reason=reason)
            row = (await storage.switches(connection, caller.tenant))[name]
            made = system.of_tenant(name, caller.tenant, row)
            action: Action = "enable" if enabled else "disable"
            change = Change(action=action, made=made, fields=("enabled", "reason"))
            await self._settle(connection, caller, (), [change])
            return made

        return await self.store.transact(write)

    async def _settle(
        self, connection: AsyncConnection, caller: Caller, secret: Sealed, changes: Sequence[Change]
    ) -> None:
        """What belongs to every change; its record in the audit comes last, since other changes wait for that."""
        if self.vault is not None and secret:
            await self.vault.put(connection, secret)
        await self.store.touch(connection, caller.tenant)
        if self.audit is not None:
            at = await storage.clock(connection)
            await self.audit.record(
                connection, *chain.from_iterable(events_of(caller, at, change) for change in changes)
            )
