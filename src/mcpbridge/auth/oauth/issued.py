"""`Issued`: tokens that can be had again at any time, kept in memory until near their end; asked for once."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from mcpbridge.auth.oauth.flights import Flights
from mcpbridge.auth.oauth.values import Granted, leeway
from mcpbridge.errors import UpstreamError
from mcpbridge.secret import Secret

K = TypeVar("K", bound=Hashable)

PAUSE: Final = 1.0
"""Seconds after a failure in which the server is not asked again."""

UNKNOWN_LIFETIME: Final = 3600.0
"""Seconds that a token is used whose lifetime the server does not say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue(Generic[K]):
    """A token. `fresh` and `end` are by the process's own clock; `number` tells it from the one before it."""

    key: K
    access: Secret
    scope: str
    fresh: float
    end: float
    number: int


class Issued(Generic[K]):
    """Tokens by key, at most `most`: the oldest goes first."""

    def __init__(self, *, most: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._kept: dict[K, Issue[K]] = {}
        self._failed: dict[K, tuple[UpstreamError, float]] = {}
        self._flights: Flights[K, Issue[K]] = Flights()
        self._count = 0

    def ready(self, key: K) -> Issue[K] | None:
        """The token, where it is good for a while."""
        kept = self._kept.get(key)
        return kept if kept is not None and self._clock() < kept.fresh else None

    async def good(self, key: K, ask: Callable[[], Awaitable[Granted]], *, refused: int | None = None) -> Issue[K]:
        """The token; `ask` is awaited where there is none, or where it is the one that was refused.

        Where that fails and the one before is still good, it is used on. Raises: UpstreamError.
        """
        kept = self.ready(key)
        if kept is not None and kept.number != refused:
            return kept
        return await self._flights.join(key, lambda: self._asked(key, ask, refused))

    async def _asked(self, key: K, ask: Callable[[], Awaitable[Granted]], refused: int | None) -> Issue[K]:
        failed = self._failed.get(key)
        now = self._clock()
        try:
            if failed is not None and now < failed[1]:
                raise failed[0]
            granted = await ask()
        except UpstreamError as error:
            self._note(key, error, now)
            kept = self._kept.get(key)
            if kept is not None and kept.number != refused and now < kept.end:
                return kept
            raise
        self._failed.pop(key, None)
        return self._keep(key, granted, now)

    def _note(self, key: K, error: UpstreamError, now: float) -> None:
        if (failed := self._failed.get(key)) is not None and now < failed[1]:
            return
        self._failed = {each: noted for each, noted in self._failed.items() if now < noted[1]}
        self._failed[key] = (error, self._clock() + PAUSE)

    def _keep(self, key: K, granted: Granted, asked: float) -> Issue[K]:
        self._count += 1
        lifetime = granted.lifetime or UNKNOWN_LIFETIME
        end = asked + lifetime
        issue = Issue(
            key=key,
            access=granted.access,
            scope=granted.scope or "",
            fresh=end - leeway(lifetime),
            end=end,
            number=self._count,
        )
        if self._kept.pop(key, None) is None and len(self._kept) >= self._most:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = issue
        return issue
