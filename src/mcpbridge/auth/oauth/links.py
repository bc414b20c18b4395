"""`LoginLinks`: a URL of our own that begins a login, for a caller whose browser is not here.

A client shows the link to its user; opened, it begins the login in that browser, which gets its cookie there. A link is
good for ten minutes and for one login, on any replica. It says whose login it is, and holds no credential.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.errors import LoginRefused
from mcpbridge.auth.oauth.keys import Key, fingerprint, key_of
from mcpbridge.auth.oauth.login import COOKIE, Begun, secret_of
from mcpbridge.auth.oauth.logins import LIFETIME
from mcpbridge.auth.oauth.setting import OAuthHost
from mcpbridge.secret import Secret
from mcpbridge.store.clock import now
from mcpbridge.store.schema import logins, tokens
from mcpbridge.store.store import Store
from mcpbridge.tools import Caller
from mcpbridge.vault.envelope import Envelope, Place
from mcpbridge.vault.vault import Vault

PARAMETER: Final = "login"
"""The query parameter of the callback's URL that makes it a link."""

STALE: Final = "this link is over, or its login is done already: call the tool again for another one"

_ANEW: Final = LIFETIME / 2
"""Seconds for which one link is given again, instead of a new one for each call."""

_MOST: Final = 10_000
"""Links that are remembered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """What a link stands for. `name` is the integration's for people, `seen` the version of the login at that time."""

    key: Key
    name: str
    scopes: Sequence[str]
    seen: int | None


class LoginLinks:
    """The links of one integration; `wrap.Connect` hands them to callers.

    `name` is the integration's for people, where the strategy's own is none for them. `clock` gives seconds that never
    go back.
    """

    def __init__(
        self, strategy: AuthorizationCode, *, name: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.integration = name or strategy.integration
        self._strategy = strategy
        self._tickets = Tickets(strategy.host)
        self._clock = clock
        self._given: dict[tuple[Key, tuple[str, ...]], tuple[str, int | None, float]] = {}

    async def link(self, caller: Caller, scopes: Sequence[str] = ()) -> str:
        """The URL that this caller's browser is to open.

        Raises: AuthRequired for a caller without a user; StoreError, KeyUnavailable.
        """
        key, seen = self._key(caller), await self.seen(caller)
        known = self._given.get((key, tuple(scopes)))
        if known is not None and known[1] == seen and self._clock() < known[2]:
            return known[0]
        ticket = await self._tickets.add(Ticket(key=key, name=self.integration, scopes=scopes, seen=seen))
        url = link_url(self._strategy.host.redirect_uri, ticket)
        if len(self._given) >= _MOST:
            self._given.clear()
        self._given[key, tuple(scopes)] = (url, seen, self._clock() + _ANEW)
        return url

    async def seen(self, caller: Caller) -> int | None:
        """The version of the caller's login, None where there is none; another one tells that a login was done.

        Raises: AuthRequired for a caller without a user; StoreError.
        """
        return await version_of(self._strategy.host.store, self._key(caller))

    def _key(self, caller: Caller) -> Key:
        return key_of(caller, self._strategy.integration, shared=self._strategy.shared)


class Tickets:
    """The links that were given out, in the store; of each only a digest."""

    def __init__(self, host: OAuthHost) -> None:
        self._store: Store = host.store
        self._vault: Vault = host.vault

    async def add(self, ticket: Ticket) -> Secret:
        """Keeps a ticket for ten minutes, and gives what the link holds. Raises: StoreError, KeyUnavailable."""
        token = Secret(secrets.token_urlsafe(32))
        number = _number(token)
        text = Secret(json.dumps({"name": ticket.name, "scopes": [*ticket.scopes], "seen": ticket.seen}))
        envelope = await self._vault.seal(_place(ticket.key, number), text)
        new = insert(logins).values(
            id=number,
            tenant=ticket.key.tenant,
            integration=ticket.key.integration,
            user=ticket.key.user,
            browser="",  # no cookie has this digest, so a ticket is never taken for a login that was begun
            key_id=envelope.key_id,
            wrapped=envelope.wrapped,
            sealed=envelope.sealed,
            created=now(),
            expires=now() + LIFETIME,
        )

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(logins).where(logins.c.expires <= now()))
            await connection.execute(new)

        await self._store.transact(work)
        return token

    async def find(self, token: Secret) -> Ticket:
        """What a link stands for. Raises: LoginRefused where it is over, or where a login was done since."""
        number = _number(token)
        which = select(logins).where(logins.c.id == number, logins.c.browser == "", logins.c.expires > now())
        async with self._store.read() as connection:
            row = (await connection.execute(which)).mappings().one_or_none()
        if row is None:
            raise LoginRefused(STALE)
        key = Key(tenant=row["tenant"], integration=row["integration"], user=row["user"])
        envelope = Envelope(key_id=row["key_id"], wrapped=row["wrapped"], sealed=row["sealed"])
        stated = json.loads((await self._vault.unseal(_place(key, number), envelope)).reveal())
        if await version_of(self._store, key) != stated["seen"]:
            raise LoginRefused(STALE)
        return Ticket(key=key, name=stated["name"], scopes=stated["scopes"], seen=stated["seen"])


async def begin_with(strategy: AuthorizationCode, ticket: Ticket, cookies: Mapping[str, str]) -> Begun:
    """The login that a link is for, begun in the browser with these cookies. Raises: as `begin` does."""
    caller = Caller(tenant=ticket.key.tenant, user=ticket.key.user or None)
    return await strategy.begin(caller, scopes=ticket.scopes, browser=secret_of(cookies.get(COOKIE)))


async def version_of(store: Store, key: Key) -> int | None:
    """The version of a login that is good. Raises: StoreError."""
    same = (tokens.c.tenant == key.tenant, tokens.c.integration == key.integration, tokens.c.user == key.user)
    async with store.read() as connection:
        return await connection.scalar(select(tokens.c.version).where(*same, tokens.c.state == "ready"))


def link_url(redirect_uri: str, token: Secret) -> str:
    """The callback's URL as a link; the one line that shows what it holds."""
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode({PARAMETER: token.reveal()})}"


def _number(token: Secret) -> str:
    return fingerprint(f"link:{token.reveal()}")


def _place(key: Key, number: str) -> Place:
    return Place(tenant=key.tenant, integration=key.integration, field=f"oauth.link:{number}:{key.user}", revision=0)
