"""When a lost connection is opened again: soon the first time, then ever more slowly, never all at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from mcpbridge.errors import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class Backoff:
    """How long to wait before an upstream is connected again. Times are seconds.

    first     the longest wait after a connection that was open; after one that could not be opened it is this long
              or half as long again, and doubles each time
    most      what the doubling ends at
    restarts  connections that may be opened within `window`, besides the first
    window    a connection that was open for so long begins anew

    Raises: ConfigError for a number that is not above 0.
    """

    first: float = 1.0
    most: float = 60.0
    restarts: int = 5
    window: float = 60.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise ConfigError(f"Backoff({field.name}={getattr(self, field.name)!r}) must be above 0")

    def wait(self, begun: Sequence[float], now: float, *, opened: bool, chance: float) -> float:
        """Seconds from `now` until the next connection may begin.

        `begun` holds when the earlier ones began, oldest first; `opened` says whether the last one was open; `chance`
        is a random number from 0 to 1, so that many upstreams that were lost together do not come back together.
        """
        if not begun:
            return 0.0
        if opened and len(begun) == 1:
            delay = self.first * chance
        else:
            doubled = self.first * 2.0 ** min(len(begun) - 1, 32)
            delay = min(self.most, doubled / 2) * (1 + chance / 2)
        recent = [at for at in begun if at > now - self.window]
        if len(recent) > self.restarts:
            delay = max(delay, recent[-self.restarts - 1] + self.window - now)
        return delay
