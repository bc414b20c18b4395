"""`Vault`: secrets at rest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret
from mcpbridge.store.clock import insert_into, now
from mcpbridge.store.schema import secrets
from mcpbridge.store.store import Store
from mcpbridge.vault.envelope import KEY_SIZE, Envelope, Place, Refused, seal, unseal
from mcpbridge.vault.errors import SecretRefused
from mcpbridge.vault.keys import Key, new_key
from mcpbridge.vault.providers import load_key
from mcpbridge.vault.rotation import Rotation, key_ids, rotate

_ROW = [secrets.c.tenant, secrets.c.integration, secrets.c.field]


class Vault:
    """Seals secrets under the first of its keys, and opens what any of them sealed.

    `keys` are newest first: references (`env:NAME`, `file:/path`, `keyring:service/user`), or keys such as a `HostKey`.
    To rotate, put the new key in front on every replica, call `rotate`, then take the old one away.

    Raises: ConfigError where there is no key, one twice, or one that can't be read.
    """

    def __init__(self, store: Store, keys: Sequence[str | Key]) -> None:
        if isinstance(keys, str) or not keys:
            raise ConfigError("Vault(keys=…) must be a list of keys, newest first, such as ['env:MCPBRIDGE_KEY']")
        held = [load_key(key) if isinstance(key, str) else key for key in keys]
        self.store = store
        self._newest = held[0]
        self._keys: Mapping[str, Key] = {key.id: key for key in held}
        if len(self._keys) < len(held):
            raise ConfigError("Vault(keys=…) names one key twice: name each once, newest first")

    @staticmethod
    def new_key() -> str:
        """A new key as text (URL-safe base64 of 32 random bytes). Keep it apart from the database and its backups."""
        return new_key()

    async def check(self) -> None:
        """Refuses to go on without a key that stored secrets need.

        Raises: ConfigError that says how many they are.
        """
        if unknown := await key_ids(self.store, without=[*self._keys]):
            counts = ", ".join(f"{count} under {key_id!r}" for key_id, count in unknown.items())
            raise ConfigError(
                f"the store {self.store.place} holds secrets whose key is not here ({counts}): "
                "add that key at the end of the vault's keys"
            )

    async def seal(self, place: Place, secret: Secret) -> Envelope:
        """The secret, sealed for this place under a fresh data key. Raises: KeyUnavailable."""
        data_key = os.urandom(KEY_SIZE)
        wrapped = await self._newest.wrap(data_key)
        return Envelope(key_id=self._newest.id, wrapped=wrapped, sealed=seal(secret, data_key, place.associated()))

    async def unseal(self, place: Place, envelope: Envelope) -> Secret:
        """The secret that was sealed for this place. Raises: SecretRefused, KeyUnavailable."""
        key = self._keys.get(envelope.key_id)
        if key is None:
            why = f"its key {envelope.key_id!r} is not among the vault's"
            raise SecretRefused(place, why, step="add that key at the end of the vault's keys")
        try:
            return unseal(envelope.sealed, await key.unwrap(envelope.wrapped), place.associated())
        except Refused:
            raise SecretRefused(place, "it was moved, changed, or is of another revision") from None

    async def put(self, connection: AsyncConnection, sealed: Iterable[tuple[Place, Envelope]]) -> None:
        """Keeps secrets in the transaction of this connection, each in the place of an older one."""
        rows = [_row(place, envelope) for place, envelope in sealed]
        if rows:
            new = insert_into(connection, secrets).values(updated=now())
            kept = {name: new.excluded[name] for name in ("revision", "key_id", "wrapped", "sealed", "updated")}
            await connection.execute(new.on_conflict_do_update(index_elements=_ROW, set_=kept), rows)

    async def read(self, connection: AsyncConnection, tenant: str, integration: str) -> Mapping[Place, Envelope]:
        """The sealed secrets of an integration, by their places."""
        found = select(secrets).where(secrets.c.tenant == tenant, secrets.c.integration == integration)
        return dict(_kept(row) for row in (await connection.execute(found)).mappings())

    async def forget(
        self, connection: AsyncConnection, tenant: str, integration: str, fields: Sequence[str] | None = None
    ) -> None:
        """Deletes an integration's secrets in the transaction of this connection: these fields, or all."""
        gone = delete(secrets).where(secrets.c.tenant == tenant, secrets.c.integration == integration)
        await connection.execute(gone if fields is None else gone.where(secrets.c.field.in_(fields)))

    async def rotate(self, *, batch: int = 500) -> Rotation:
        """Wraps every data key anew that is not under the newest key: secrets, tokens and logins under way.

        Readers and writers go on meanwhile. It may be ended at any time and called again, which goes on where it was.
        What does not open is left as it is, and counted.

        Raises: KeyUnavailable; ConfigError for a batch below 1.
        """
        if batch < 1:
            raise ConfigError(f"rotate(batch={batch!r}) must be at least 1")
        return await rotate(self.store, self._newest.id, self._rewrap, batch)

    async def _rewrap(self, key_id: str, wrapped: bytes) -> bytes | None:
        key = self._keys.get(key_id)
        if key is None:
            return None
        try:
            return await self._newest.wrap(await key.unwrap(wrapped))
        except Refused:
            return None

    def __repr__(self) -> str:
        return f"Vault(keys={[*self._keys]!r})"


def _row(place: Place, envelope: Envelope) -> dict[str, Any]:
    return {
        "tenant": place.tenant,
        "integration": place.integration,
        "field": place.field,
        "revision": place.revision,
        "key_id": envelope.key_id,
        "wrapped": envelope.wrapped,
        "sealed": envelope.sealed,
    }


def _kept(row: RowMapping) -> tuple[Place, Envelope]:
    place = Place(tenant=row["tenant"], integration=row["integration"], field=row["field"], revision=row["revision"])
    return place, Envelope(key_id=row["key_id"], wrapped=row["wrapped"], sealed=row["sealed"])
