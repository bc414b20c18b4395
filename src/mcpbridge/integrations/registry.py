"""`Integrations`: the records that people create and edit, and the host's own beside them."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import true
from sqlalchemy.ext.asyncio import AsyncConnection

from mcpbridge.audit.stored import StoreSink
from mcpbridge.errors import ConfigError
from mcpbridge.integrations import storage
from mcpbridge.integrations.changes import Change, event_of
from mcpbridge.integrations.credentials import credentials
from mcpbridge.integrations.errors import IntegrationNotFound, NotAllowed, RevisionConflict, taken
from mcpbridge.integrations.hooks import Action, Hooks, Known, Management, Rule
from mcpbridge.integrations.merge import changed_fields, kept, merged
from mcpbridge.integrations.record import Integration, McpIntegration, read_integration
from mcpbridge.integrations.rules import check_managed, no_child
from mcpbridge.integrations.sealing import Sealed, noted, sealed, unsealed
from mcpbridge.integrations.stored import StoredIntegration, first, following
from mcpbridge.integrations.system import SystemRegistry
from mcpbridge.store.errors import StoreConflict
from mcpbridge.store.schema import integrations
from mcpbridge.store.store import Store
from mcpbridge.tools import Caller, Json, State
from mcpbridge.vault.rotation import key_ids
from mcpbridge.vault.vault import Vault

Given: TypeAlias = Integration | Mapping[str, Json]

ATTEMPTS = 5
"""How often an update is made anew on what somebody else has written meanwhile."""

PAGE = 500


class Integrations:
    """Integrations in a store, managed by callers: each sees those of its tenant, and its own private ones.

    store, vault   where records and their credentials are kept; without a vault no record may hold a credential
    system         the host's own, for every tenant, who can only switch them on and off; their names are taken
    audit          where changes are recorded, in the transaction of the change
    entitled, authorize, known   what the host decides: see `Hooks`
    child          which MCP servers may be started as a child process; by default none

    Every name is a slug or an id. Another tenant's integration is as one that does not exist.

    Raises: ConfigError for system integrations that can't be.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault | None = None,
        *,
        system: Iterable[Integration] = (),
        audit: StoreSink | None = None,
        entitled: Rule | None = None,
        authorize: Rule | None = None,
        known: Known | None = None,
        child: Callable[[McpIntegration], bool] = no_child,
    ) -> None:
        self.store = store
        self.vault = vault
        self.system = SystemRegistry.of(system)
        self.audit = audit
        self._hooks = Hooks(entitled=entitled, authorize=authorize, known=known)
        self._child = child

    async def check(self) -> None:
        """Refuses to start where stored secrets can't be opened. Raises: ConfigError."""
        if self.vault is not None:
            await self.vault.check()
        elif await key_ids(self.store, without=()):
            raise ConfigError(
                f"the store {self.store.place} holds secrets: pass Integrations(store, Vault(store, keys))"
            )

    async def create(self, caller: Caller, given: Given) -> StoredIntegration:
        """A new integration of the caller's tenant.

        Raises: InvalidRecord, also for a name that is taken; NotAllowed, NotEntitled; StoreError, KeyUnavailable.
        """
        return (await self.create_all(caller, [given]))[0]

    async def create_all(self, caller: Caller, given: Sequence[Given]) -> Sequence[StoredIntegration]:
        """New integrations in one transaction, all of them or none. Raises: as `create` does."""
        records = [await self._new(caller, each) for each in given]
        self._check_names(records)
        new = [(f"{storage.ID}{secrets.token_hex(12)}", record) for record in records]
        secret = [
            pair
            for key, record in new
            for pair in await sealed(self.vault, record, tenant=caller.tenant, id=key, revision=1)
        ]

        async def write(connection: AsyncConnection) -> Sequence[StoredIntegration]:
            at = await storage.clock(connection)
            made = [first(caller.tenant, key, noted(record, revision=1, at=at), at) for key, record in new]
            await storage.add(connection, made)
            await self._settle(connection, caller, secret, [("create", each, ()) for each in made])
            return made

        try:
            return await self.store.transact(write) if new else ()
        except StoreConflict:
            async with self.store.read() as connection:
                found = await storage.taken(connection, caller.tenant, [record.name for record in records])
            raise taken(found) from None

    async def get(self, caller: Caller, name: str, *, action: Action = "read") -> StoredIntegration:
        """The integration of this slug or id, for an action that the host allows.

        Raises: IntegrationNotFound, NotAllowed, NotEntitled, StoreError.
        """
        await self._hooks.check(caller, Management(action=action, name=name))
        return await self._found(caller, name)

    async def list(
        self,
        caller: Caller,
        *,
        category: str | None = None,
        state: State | None = None,
        after: str = "",
        limit: int = PAGE,
    ) -> Sequence[StoredIntegration]:
        """The caller's integrations by slug, those of the system among them: of a category, in a state, after a slug.

        Raises: NotAllowed, NotEntitled, StoreError.
        """
        await self._hooks.check(caller, Management(action="list"))
        which = storage.of_caller(caller) & (integrations.c.slug > after)
        which = which if category is None else which & (integrations.c.category == category)
        which = which if state is None else which & (integrations.c.state == state)
        async with self.store.read() as connection:
            custom = await storage.find_all(connection, which, limit=limit)
            switched = await storage.switches(connection, caller.tenant)
            hidden = await storage.taken(connection, caller.tenant, self.system.records)
        shared = [
            self.system.of_tenant(name, caller.tenant, switched.get(name))
            for name, record in self.system.records.items()
            if name > after and name not in hidden and category in (None, record.category)
        ]
        found = [*custom, *(each for each in shared if state in (None, each.state))]
        return sorted(found, key=lambda each: each.name)[:limit]

    async def update(
        self, caller: Caller, name: str, changes: Mapping[str, Json], *, revision: int | None = None
    ) -> StoredIntegration:
        """The integration with these fields changed: see `merged` for what stays and what goes.

        `revision` is the one that the changes were made for; without it they are made on whatever stands.

        Raises: as `create` does; IntegrationNotFound, RevisionConflict.
        """
        return await self._change(caller, name, "update", changes, revision)

    async def enable(self, caller: Caller, name: str) -> StoredIntegration:
        """The integration, switched on. Raises: as `update` does."""
        return await self._change(caller, name, "enable", {"enabled": True, "reason": ""}, None)

    async def disable(self, caller: Caller, name: str, *, reason: str = "") -> StoredIntegration:
        """The integration, switched off, and why. Raises: as `update` does."""
        return await self._change(caller, name, "disable", {"enabled": False, "reason": reason}, None)

    async def delete(self, caller: Caller, name: str) -> None:
        """Deletes the integration for good, with its secrets, tokens and logins under way.

        Raises: IntegrationNotFound; NotAllowed, also for one of the system; NotEntitled, StoreError.
        """
        await self._hooks.check(caller, Management(action="delete", name=name))
        old = await self._found(caller, name)
        if old.system:
            raise NotAllowed(f"the integration {name!r} is the system's: disable it instead")

        async def write(connection: AsyncConnection) -> None:
            await storage.remove(connection, old)
            await self._settle(connection, caller, (), [("delete", old, ())])

        await self.store.transact(write)

    async def load(self, tenant: str | None = None) -> Sequence[StoredIntegration]:
        """For the gateway, which asks for nobody: all custom integrations, of one tenant or of every one."""
        async with self.store.read() as connection:
            return await storage.find_all(connection, true() if tenant is None else integrations.c.tenant == tenant)

    async def revealed(self, stored: StoredIntegration) -> Integration:
        """For the gateway: the record with its credentials as secrets, ready for `record.auth.strategy()`.

        Raises: SecretRefused where they are no longer those of this revision; KeyUnavailable, StoreError.
        """
        if stored.system or self.vault is None or not credentials(stored.record):
            return stored.record
        async with self.store.read() as connection:
            envelopes = await self.vault.read(connection, stored.tenant, stored.id)
        return await unsealed(self.vault, stored.record, envelopes, tenant=stored.tenant, id=stored.id)

    async def _new(self, caller: Caller, given: Given) -> Integration:
        fields = [str(each) for each in given] if isinstance(given, Mapping) else [*given.model_fields_set]
        stated = given.get("name") if isinstance(given, Mapping) else given.name
        wanted = Management(action="create", name=str(stated or "")[:64], fields=frozenset(fields))
        await self._hooks.check(caller, wanted)
        return await self._checked(caller, kept(read_integration(given), None))

    async def _checked(self, caller: Caller, record: Integration) -> Integration:
        check_managed(record, self._child)
        await self._hooks.check_parties(caller, record)
        return record

    def _check_names(self, records: Sequence[Integration]) -> None:
        counts = Counter(record.name for record in records)
        if double := [name for name, count in counts.items() if count > 1 or name in self.system.records]:
            raise taken(double)

    async def _found(self, caller: Caller, name: str) -> StoredIntegration:
        async with self.store.read() as connection:
            found = await storage.find(connection, caller, name)
            if found is not None:
                return found
            if name not in self.system.records or await storage.taken(connection, caller.tenant, [name]):
                raise IntegrationNotFound(name)
            switched = await storage.switches(connection, caller.tenant)
            return self.system.of_tenant(name, caller.tenant, switched.get(name))

    async def _change(
        self, caller: Caller, name: str, action: Action, changes: Mapping[str, Json], revision: int | None
    ) -> StoredIntegration:
        await self._hooks.check(caller, Management(action=action, name=name, fields=frozenset(map(str, changes))))
        for left in reversed(range(ATTEMPTS)):
            old = await self._found(caller, name)
            if revision is not None and revision != old.revision:
                raise RevisionConflict(name, revision)
            if old.system:
                return await self._switch(caller, old, action, changes)
            new = merged(old, changes)
            if not changed_fields(old.record, new):
                return old
            if (made := await self._swap(caller, old, await self._checked(caller, new), action)) is not None:
                return made
            if not left:
                raise RevisionConflict(name, old.revision)
        raise AssertionError  # ATTEMPTS is positive

    async def _swap(
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
            await self._settle(connection, caller, secret, [(action, made, fields)])
            return made

        return await self.store.transact(write)

    async def _switch(
        self, caller: Caller, old: StoredIntegration, action: Action, changes: Mapping[str, Json]
    ) -> StoredIntegration:
        """A tenant's switch of a system integration."""
        if action == "update":
            raise NotAllowed(f"the integration {old.name!r} is the system's: a tenant can only enable or disable it")

        async def write(connection: AsyncConnection) -> StoredIntegration:
            await storage.switch(connection, old.tenant, old.name, enabled=changes["enabled"], reason=changes["reason"])
            row = (await storage.switches(connection, old.tenant))[old.name]
            made = self.system.of_tenant(old.name, old.tenant, row)
            await self._settle(connection, caller, (), [(action, made, ("enabled", "reason"))])
            return made

        merged(old, changes)  # the reason is checked as any text of a record
        return await self.store.transact(write)

    async def _settle(
        self,
        connection: AsyncConnection,
        caller: Caller,
        secret: Sealed,
        changes: Sequence[Change],
    ) -> None:
        """What belongs to every change: its secrets, the news for other replicas, and last its record in the audit."""
        if self.vault is not None and secret:
            await self.vault.put(connection, secret)
        await self.store.touch(connection, caller.tenant)
        if self.audit is not None:
            at = await storage.clock(connection)
            await self.audit.record(connection, *(event_of(caller, at, change) for change in changes))
