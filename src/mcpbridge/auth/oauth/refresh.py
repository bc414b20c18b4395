"""`Refresher`: a grant's token while it is good, and a new one once: over all coroutines, and over all replicas.

A task for each key in a process takes the turn (a lease in the store) and then asks the server; everybody else waits
for what is written. No lock and no connection is held meanwhile. What decides is the version in the grant's row.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from mcpbridge.auth.oauth.errors import ReconnectRequired, login_required, reconnect_required
from mcpbridge.auth.oauth.flights import Flights
from mcpbridge.auth.oauth.kept import Held, TokenStore
from mcpbridge.auth.oauth.keys import Key
from mcpbridge.auth.oauth.values import Grant, leeway
from mcpbridge.errors import Failure, UpstreamError
from mcpbridge.store.errors import StoreBusy, StoreError, StoreUnavailable
from mcpbridge.store.leases import Lease
from mcpbridge.vault.errors import KeyUnavailable, SecretRefused

logger = logging.getLogger(__name__)

MOST: Final = 10_000
"""Tokens that are kept in memory."""


class GrantLost(Exception):
    """The server ended the grant; only a new login helps. The message is for the audit."""


Renew: TypeAlias = Callable[[Held], Awaitable[Grant]]
"""Asks the server. Raises: GrantLost; UpstreamError, where the grant may still be good."""

Ended: TypeAlias = Callable[[Held, str], Awaitable[None]]
Renewed: TypeAlias = Callable[[Held], Awaitable[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Times of a refresh, in seconds.

    lease     how long one may take; longer than a request to the server may. After a crash, others wait that long
    patience  how long a call waits for somebody else's refresh
    pause     between two attempts of anybody, after one has failed
    poll      between two looks at what another replica does, at most
    trust     how long a token in memory is used without a look into the store, where another replica may have
              logged its user out
    """

    lease: float = 15.0
    patience: float = 20.0
    pause: float = 1.0
    poll: float = 0.25
    trust: float = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """A token in memory: use it until `fresh`; it is good until `end`. Both by the process's own clock."""

    held: Held
    fresh: float
    end: float


class Refresher:
    """Tokens of one integration's logins."""

    def __init__(
        self,
        tokens: TokenStore,
        renew: Renew,
        *,
        renewed: Renewed,
        ended: Ended,
        unwanted: Callable[[Held], Awaitable[None]],
        pace: Pace,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens = tokens
        self._renew = renew
        self._renewed = renewed
        self._ended = ended
        self._unwanted = unwanted
        self._pace = pace
        self._clock = clock
        self._known: dict[Key, _Known] = {}
        self._flights: Flights[tuple[Key, int | None], Held] = Flights()

    def ready(self, key: Key) -> Held | None:
        """The token in memory, where it is good for a while."""
        known = self._known.get(key)
        return known.held if known is not None and self._clock() < known.fresh else None

    async def good(self, key: Key, *, refused: int | None = None) -> Held:
        """A token that is good, refreshed where it must be. `refused` is the version of one that the upstream refused.

        Raises: AuthRequired, ReconnectRequired; UpstreamError where it can't be had now.
        """
        if refused is None and (held := self.ready(key)) is not None:
            return held
        return await self._flights.join((key, refused), lambda: self._settled(key, refused))

    def keep(self, held: Held) -> Held:
        """Keeps a token in memory."""
        now = self._clock()
        end = now + held.left if held.left is not None else float("inf")
        if self._known.pop(held.key, None) is None and len(self._known) >= MOST:
            self._known.pop(next(iter(self._known)))
        fresh = min(end - leeway(held.grant.lifetime), now + self._pace.trust)
        self._known[held.key] = _Known(held=held, fresh=fresh, end=end)
        return held

    def drop(self, key: Key) -> None:
        """Forgets what is in memory."""
        self._known.pop(key, None)

    async def _settled(self, key: Key, refused: int | None) -> Held:
        try:
            return await self._settle(key, refused)
        except SecretRefused as error:
            logger.warning("a stored grant can't be used: %s", error)
            raise reconnect_required(key.integration) from None
        except (StoreBusy, StoreUnavailable) as error:
            known = self._known.get(key)
            if known is not None and known.held.version != refused and self._clock() < known.end:
                return known.held
            raise UpstreamError(Failure(code=error.code, message=str(error), retryable=True)) from error

    async def _settle(self, key: Key, refused: int | None) -> Held:
        until = self._clock() + self._pace.patience
        poll = 0.02
        while True:
            held = self._usable(key, await self._tokens.read(key))
            if held.version != refused and is_fresh(held):
                return self.keep(held)
            if held.grant.refresh is None:
                return await self._without_refresh(held, refused)
            taken = await self._tokens.take(key, secrets.token_hex(8), self._pace.lease)
            if taken is not None:
                lease, again = taken
                if again is None or again.version != held.version or again.state != "ready":
                    await self._tokens.release(lease)
                    continue
                return await self._in_turn(lease, again, refused)
            if held.version != refused and is_alive(held):
                return held
            if self._clock() >= until:
                raise UpstreamError(_waited(key))
            await asyncio.sleep(random.uniform(poll / 2, poll))  # noqa: S311 - jitter, no secret
            poll = min(poll * 2, self._pace.poll)

    async def _in_turn(self, lease: Lease, held: Held, refused: int | None) -> Held:
        """Asks the server, as the only one."""
        asked = self._clock()
        try:
            grant = await self._renew(held)
        except GrantLost as lost:
            if await self._tokens.end(held, lease):
                await self._ended(held, str(lost))
            await self._tokens.release(lease)
            self.drop(held.key)
            raise reconnect_required(held.key.integration) from None
        except UpstreamError:
            await self._tokens.pause(lease, self._pace.pause)
            if held.version != refused and is_alive(held):
                return held
            raise
        new = await self._saved(held, grant, asked)
        await self._tokens.release(lease)
        if new is None:
            await self._unwanted(Held(key=held.key, version=held.version, state="ready", grant=grant))
            return await self._settle(held.key, refused)
        await self._renewed(new)
        return self.keep(new)

    async def _saved(self, held: Held, grant: Grant, asked: float) -> Held | None:
        """Keeps what the server gave, whatever it takes: the refresh token before it may be spent."""
        for attempt in range(8):
            try:
                return await self._tokens.swap(held, grant, age=self._clock() - asked)
            except (StoreError, KeyUnavailable) as error:
                logger.warning("a refreshed token can't be stored yet: %s", error)
                await asyncio.sleep(0.1 * 2**attempt)
        return await self._tokens.swap(held, grant, age=self._clock() - asked)

    async def _without_refresh(self, held: Held, refused: int | None) -> Held:
        """A grant that can't be refreshed is good to its end, or until the upstream refuses it."""
        if held.version != refused and is_alive(held):
            return held
        if await self._tokens.end(held):
            await self._ended(
                held, "there is no refresh token: ask for the scope that gives one, such as offline_access"
            )
        self.drop(held.key)
        raise reconnect_required(held.key.integration)

    def _usable(self, key: Key, held: Held | None) -> Held:
        if held is not None and held.state == "ready":
            return held
        self.drop(key)
        raise login_required(key.integration) if held is None else reconnect_required(key.integration)

    async def give_up(self, held: Held) -> ReconnectRequired:
        """The upstream refuses also what was just refreshed: only a new login helps. Gives the error to raise."""
        self.drop(held.key)
        if await self._tokens.end(held):
            await self._ended(held, "the upstream refused a token that was just refreshed")
        return reconnect_required(held.key.integration)


def is_fresh(held: Held) -> bool:
    """Whether it is good for a while."""
    return held.left is None or held.left > leeway(held.grant.lifetime)


def is_alive(held: Held) -> bool:
    """Whether it is good at all."""
    return held.left is None or held.left > 0


def _waited(key: Key) -> Failure:
    return Failure(
        code="auth_unavailable",
        message=f"the token for {key.integration!r} is being refreshed elsewhere, and that takes too long",
        hint="Try again later.",
        retryable=True,
        retry_after=1.0,
    )
