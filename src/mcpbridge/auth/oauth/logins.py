"""`LoginStore`: logins under way, each finished once; and the clients that servers have registered."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mcpbridge.auth.oauth.keys import Key, fingerprint
from mcpbridge.auth.oauth.sealing import Login, client_text, login_text, read_client, read_login
from mcpbridge.auth.oauth.values import OAuthClient
from mcpbridge.secret import Secret
from mcpbridge.store.clock import now
from mcpbridge.store.schema import logins
from mcpbridge.store.store import Store
from mcpbridge.vault.envelope import Envelope, Place
from mcpbridge.vault.vault import Vault

LIFETIME: Final = 600.0
"""Seconds that a login may take."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """Whose login a state belongs to, and a digest of the cookie that its browser has."""

    key: Key
    browser: str

    def is_of(self, browser: Secret) -> bool:
        """Whether this is the browser that it was begun in."""
        return hmac.compare_digest(self.browser, fingerprint(browser.reveal()))


class LoginStore:
    """Logins that were begun. Of the state and the browser's cookie only digests are stored."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self.store = store
        self.vault = vault

    async def add(self, key: Key, login: Login, *, state: Secret, browser: Secret) -> None:
        """Keeps a login for ten minutes. Raises: StoreError, KeyUnavailable."""
        number = fingerprint(state.reveal())
        envelope = await self.vault.seal(_place(key, number), login_text(login))
        new = insert(logins).values(
            id=number,
            tenant=key.tenant,
            integration=key.integration,
            user=key.user,
            browser=fingerprint(browser.reveal()),
            key_id=envelope.key_id,
            wrapped=envelope.wrapped,
            sealed=envelope.sealed,
            created=now(),
            expires=now() + LIFETIME,
        )

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(logins).where(logins.c.expires <= now()))
            await connection.execute(new)

        await self.store.transact(work)

    async def find(self, state: Secret) -> Pending | None:
        """Whose login this is, while it may still be finished."""
        which = select(logins).where(logins.c.id == fingerprint(state.reveal()), logins.c.expires > now())
        async with self.store.read() as connection:
            row = (await connection.execute(which)).mappings().one_or_none()
        if row is None:
            return None
        key = Key(tenant=row["tenant"], integration=row["integration"], user=row["user"])
        return Pending(key=key, browser=row["browser"])

    async def claim(self, key: Key, *, state: Secret, browser: Secret) -> Login | None:
        """The login, once: one statement takes it away. Raises: StoreError, SecretRefused, KeyUnavailable."""
        number = fingerprint(state.reveal())
        taken = delete(logins).where(
            logins.c.id == number,
            logins.c.browser == fingerprint(browser.reveal()),
            logins.c.tenant == key.tenant,
            logins.c.integration == key.integration,
            logins.c.user == key.user,
            logins.c.expires > now(),
        )
        async with self.store.write() as connection:
            row = (await connection.execute(taken.returning(logins))).mappings().one_or_none()
        if row is None:
            return None
        envelope = Envelope(key_id=row["key_id"], wrapped=row["wrapped"], sealed=row["sealed"])
        return read_login(await self.vault.unseal(_place(key, number), envelope))

    async def client(self, key: Key, server: str) -> OAuthClient | None:
        """The client that a server registered for this integration."""
        place = _client_place(key, server)
        async with self.store.read() as connection:
            envelope = (await self.vault.read(connection, key.tenant, key.integration)).get(place)
        return None if envelope is None else read_client(await self.vault.unseal(place, envelope))

    async def keep_client(self, key: Key, server: str, client: OAuthClient) -> None:
        """Keeps a client that a server has registered, under that server alone."""
        place = _client_place(key, server)
        envelope = await self.vault.seal(place, client_text(client))

        async def work(connection: AsyncConnection) -> None:
            await self.vault.put(connection, [(place, envelope)])

        await self.store.transact(work)

    async def forget_client(self, key: Key, server: str) -> None:
        """Forgets a client that its server does not know any more."""

        async def work(connection: AsyncConnection) -> None:
            await self.vault.forget(connection, key.tenant, key.integration, [_client_place(key, server).field])

        await self.store.transact(work)


def _place(key: Key, number: str) -> Place:
    return Place(tenant=key.tenant, integration=key.integration, field=f"oauth.login:{number}:{key.user}", revision=0)


def _client_place(key: Key, server: str) -> Place:
    return Place(tenant=key.tenant, integration=key.integration, field=f"oauth.client:{server}", revision=0)
