"""`Integrations`: the records that people create and edit, and the host's own beside them."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import true

from mcpbridge.audit.stored import StoreSink
from mcpbridge.errors import ConfigError
from mcpbridge.integrations import storage
from mcpbridge.integrations.credentials import credentials
from mcpbridge.integrations.errors import IntegrationNotFound, NotAllowed, RevisionConflict, taken
from mcpbridge.integrations.hooks import Action, Hooks, Known, Management, Rule
from mcpbridge.integrations.merge import changed_fields, kept, merged
from mcpbridge.integrations.record import Integration, McpIntegration, fields_of, read_integration
from mcpbridge.integrations.rules import check_listing, check_managed, no_child
from mcpbridge.integrations.sealing import unsealed
from mcpbridge.integrations.storable import is_text
from mcpbridge.integrations.stored import StoredIntegration
from mcpbridge.integrations.system import SystemRegistry
from mcpbridge.integrations.writing import Writing
from mcpbridge.store.errors import StoreConflict
from mcpbridge.store.schema import integrations
from mcpbridge.store.store import Store
from mcpbridge.tools import Caller, Json, State
from mcpbridge.vault.errors import SecretRefused
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
        self._writing = Writing(store=store, vault=vault, audit=audit)
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
        for left in reversed(range(ATTEMPTS)):
            try:
                return await self._writing.add(caller, new) if new else ()
            except StoreConflict:
                async with self.store.read() as connection:
                    found = await storage.taken(connection, caller.tenant, [record.name for record in records])
                if found:
                    raise taken(found) from None
                if not left:
                    raise
        raise AssertionError  # ATTEMPTS is positive

    async def get(self, caller: Caller, name: str, *, action: Action = "read") -> StoredIntegration:
        """The integration of this slug or id, for an action that the host allows.

        Raises: IntegrationNotFound, NotAllowed, NotEntitled, StoreError.
        """
        return await self._allowed(caller, name, action)

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

        Raises: InvalidRecord for what can't be asked; NotAllowed, NotEntitled, StoreError.
        """
        await self._hooks.check(caller, Management(action="list"))
        check_listing(category=category, state=state, after=after, limit=limit)
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
        old = await self._allowed(caller, name, "delete")
        if old.system:
            raise NotAllowed(f"the integration {name!r} is the system's: disable it instead")
        if not await self._writing.remove(caller, old.id):
            raise IntegrationNotFound(name)

    async def load(self, tenant: str | None = None) -> Sequence[StoredIntegration]:
        """For the gateway, which asks for nobody: all custom integrations, of one tenant or of every one."""
        async with self.store.read() as connection:
            return await storage.find_all(connection, true() if tenant is None else integrations.c.tenant == tenant)

    async def revealed(self, stored: StoredIntegration) -> Integration:
        """For the gateway: the record with its credentials as secrets, ready for `record.auth.strategy()`.

        Raises: RevisionConflict where it has changed since; SecretRefused for what does not open; KeyUnavailable,
        StoreError.
        """
        if stored.system or self.vault is None or not credentials(stored.record):
            return stored.record
        async with self.store.read() as connection:
            envelopes = await self.vault.read(connection, stored.tenant, stored.id)
        try:
            return await unsealed(self.vault, stored.record, envelopes, tenant=stored.tenant, id=stored.id)
        except SecretRefused:
            async with self.store.read() as connection:
                stands = await storage.stands(connection, stored)
            if stands:
                raise
            raise RevisionConflict(stored.name, stored.revision) from None

    async def _new(self, caller: Caller, given: Given) -> Integration:
        fields = given.model_fields_set if isinstance(given, Integration) else fields_of(given)
        stated = given.name if isinstance(given, Integration) else given.get("name")
        wanted = Management(action="create", name=str(stated or "")[:64], fields=frozenset(fields))
        await self._hooks.check(caller, wanted)
        return await self._checked(caller, kept(read_integration(given), None))

    async def _allowed(
        self, caller: Caller, name: str, action: Action, fields: Iterable[str] = ()
    ) -> StoredIntegration:
        """The integration, where the host allows the action; it is asked by the slug, whichever name was given."""
        found = await self._sought(caller, name)
        slug = str(name)[:64] if found is None else found.name
        await self._hooks.check(caller, Management(action=action, name=slug, fields=frozenset(fields)))
        if found is None:
            raise IntegrationNotFound(str(name))
        return found

    async def _found(self, caller: Caller, name: str) -> StoredIntegration:
        if (found := await self._sought(caller, name)) is None:
            raise IntegrationNotFound(name)
        return found

    async def _checked(self, caller: Caller, record: Integration) -> Integration:
        check_managed(record, self._child)
        await self._hooks.check_parties(caller, record)
        return record

    def _check_names(self, records: Sequence[Integration]) -> None:
        counts = Counter(record.name for record in records)
        if double := [name for name, count in counts.items() if count > 1 or name in self.system.records]:
            raise taken(double)

    async def _sought(self, caller: Caller, name: str) -> StoredIntegration | None:
        if not is_text(name):
            return None
        async with self.store.read() as connection:
            found = await storage.find(connection, caller, name)
            if found is not None:
                return found
            if name not in self.system.records or await storage.taken(connection, caller.tenant, [name]):
                return None
            switched = await storage.switches(connection, caller.tenant)
            return self.system.of_tenant(name, caller.tenant, switched.get(name))

    async def _change(
        self, caller: Caller, name: str, action: Action, changes: Mapping[str, Json], revision: int | None
    ) -> StoredIntegration:
        old = await self._allowed(caller, name, action, fields_of(changes))
        for _ in range(ATTEMPTS):
            if revision is not None and revision != old.revision:
                raise RevisionConflict(name, revision)
            if old.system:
                return await self._switch(caller, old, action, changes)
            new = merged(old, changes)
            if not changed_fields(old.record, new):
                return old
            if (made := await self._writing.swap(caller, old, await self._checked(caller, new), action)) is not None:
                return made
            old = await self._found(caller, name)
        raise RevisionConflict(name, old.revision)

    async def _switch(
        self, caller: Caller, old: StoredIntegration, action: Action, changes: Mapping[str, Json]
    ) -> StoredIntegration:
        """A tenant's switch of a system integration."""
        if action == "update":
            raise NotAllowed(f"the integration {old.name!r} is the system's: a tenant can only enable or disable it")
        new = merged(old, changes)
        return await self._writing.switch(caller, self.system, old.name, enabled=new.enabled, reason=new.reason)
