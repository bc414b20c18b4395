"""`TokenStore`: grants in the store, sealed by the vault, and whose turn it is to refresh one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import ColumnElement, RowMapping, Select, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mcpbridge.auth.oauth.keys import Key
from mcpbridge.auth.oauth.sealing import grant_text, read_grant
from mcpbridge.auth.oauth.values import Grant
from mcpbridge.store.clock import insert_into, now
from mcpbridge.store.leases import Lease, held, release_lease, renew_lease, take_lease
from mcpbridge.store.schema import tokens
from mcpbridge.store.store import Store
from mcpbridge.vault.envelope import Envelope, Place
from mcpbridge.vault.vault import Vault

State: TypeAlias = Literal["ready", "reconnect_required"]

_FIRST: Final = 2**40
"""Versions begin below at random, so that what was read before a logout never fits the login after it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A grant as it was read. `left` is in seconds until it expires by the database's clock; None: not known."""

    key: Key
    version: int
    state: State
    grant: Grant
    left: float | None = None


class TokenStore:
    """Grants of logins. Every change is a compare-and-set on a version; no transaction waits for anything outside."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self.store = store
        self.vault = vault

    async def read(self, key: Key) -> Held | None:
        """The grant, or None where nobody is logged in. Raises: StoreError, SecretRefused, KeyUnavailable."""
        async with self.store.read() as connection:
            row = await _row(connection, key)
        return None if row is None else await self._held(key, row)

    async def take(self, key: Key, holder: str, seconds: float) -> tuple[Lease, Held | None] | None:
        """The turn to refresh, and the grant as it is then; None while somebody else has it. Raises: as `read` does."""

        async def work(connection: AsyncConnection) -> tuple[Lease, RowMapping | None] | None:
            lease = await take_lease(connection, f"oauth:{key.fingerprint}", holder=holder, seconds=seconds)
            return None if lease is None else (lease, await _row(connection, key))

        taken = await self.store.transact(work)
        if taken is None:
            return None
        lease, row = taken
        return lease, None if row is None else await self._held(key, row)

    async def put(self, key: Key, grant: Grant, *, age: float = 0.0) -> Held:
        """Keeps the grant of a login that was just finished, in the place of any older one.

        `age` is in seconds since it was asked for. Raises: StoreError, KeyUnavailable.
        """
        version = secrets.randbelow(_FIRST)
        values = await self._values(key, grant, version, age)

        async def work(connection: AsyncConnection) -> None:
            new = insert_into(connection, tokens).values(**_same(key), **values)
            put = new.on_conflict_do_update(index_elements=["tenant", "integration", "user"], set_=values)
            await connection.execute(put)

        await self.store.transact(work)
        return _new(key, grant, version, age)

    async def swap(self, old: Held, grant: Grant, *, age: float = 0.0) -> Held | None:
        """Keeps a refreshed grant in the place of the old one, or gives None where that has changed meanwhile."""
        version = old.version + 1
        values = await self._values(old.key, grant, version, age)
        swap = update(tokens).where(_is(old.key), tokens.c.version == old.version).values(**values)

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(swap)).rowcount == 1

        return _new(old.key, grant, version, age) if await self.store.transact(work) else None

    async def end(self, old: Held, lease: Lease | None = None) -> bool:
        """Notes that only a new login helps; gives whether it did.

        A grant that was replaced stays. So does one whose turn to refresh has passed to somebody else, where `lease` is
        given: a refresh token that we found spent may just have been spent for a good one.
        """
        which = [_is(old.key), tokens.c.version == old.version, tokens.c.state == "ready"]
        which += [] if lease is None else [held(lease)]
        ended = update(tokens).where(*which).values(state="reconnect_required", updated=now())

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(ended)).rowcount == 1

        return await self.store.transact(work)

    async def forget(self, key: Key) -> Held | None:
        """Deletes the grant, and gives it for its revocation; None where there was none. Raises: as `read` does."""

        async def work(connection: AsyncConnection) -> RowMapping | None:
            row = await _row(connection, key)
            await connection.execute(delete(tokens).where(_is(key)))
            return row

        row = await self.store.transact(work)
        return None if row is None else await self._held(key, row)

    async def pause(self, lease: Lease, seconds: float) -> None:
        """Nobody's turn for that long: after a failure, the next one to try waits."""

        async def work(connection: AsyncConnection) -> None:
            await renew_lease(connection, lease, seconds=seconds)

        await self.store.transact(work)

    async def release(self, lease: Lease) -> None:
        """Ends the turn."""

        async def work(connection: AsyncConnection) -> None:
            await release_lease(connection, lease)

        await self.store.transact(work)

    async def _held(self, key: Key, row: RowMapping) -> Held:
        envelope = Envelope(key_id=row["key_id"], wrapped=row["wrapped"], sealed=row["sealed"])
        grant = read_grant(await self.vault.unseal(_place(key, row["version"]), envelope))
        left = None if row["expires"] is None else row["expires"] - row["at"]
        state: State = "ready" if row["state"] == "ready" else "reconnect_required"
        return Held(key=key, version=row["version"], state=state, grant=grant, left=left)

    async def _values(self, key: Key, grant: Grant, version: int, age: float) -> dict[str, Any]:
        envelope = await self.vault.seal(_place(key, version), grant_text(grant))
        return {
            "version": version,
            "state": "ready",
            "key_id": envelope.key_id,
            "wrapped": envelope.wrapped,
            "sealed": envelope.sealed,
            "expires": None if grant.lifetime is None else now() + (grant.lifetime - age),
            "updated": now(),
        }


def _new(key: Key, grant: Grant, version: int, age: float) -> Held:
    left = None if grant.lifetime is None else grant.lifetime - age
    return Held(key=key, version=version, state="ready", grant=grant, left=left)


def _place(key: Key, version: int) -> Place:
    return Place(tenant=key.tenant, integration=key.integration, field=f"oauth.token:{key.user}", revision=version)


def _same(key: Key) -> dict[str, str]:
    return {"tenant": key.tenant, "integration": key.integration, "user": key.user}


def _is(key: Key) -> ColumnElement[bool]:
    return and_(*(tokens.c[name] == value for name, value in _same(key).items()))


def _query(key: Key) -> Select[Any]:
    return select(tokens, now().label("at")).where(_is(key))


async def _row(connection: AsyncConnection, key: Key) -> RowMapping | None:
    row: RowMapping | None = (await connection.execute(_query(key))).mappings().one_or_none()
    return row
