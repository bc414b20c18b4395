"""`Debounce`: news that come too often, told once in a while. The first is told at once, the last is never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Generic, TypeVar

QUIET: Final = 1.0
"""Seconds between two news of the same kind from one upstream."""

_K = TypeVar("_K")


class Debounce(Generic[_K]):
    """Tells `tell` of each thing at most once in `interval` seconds."""

    def __init__(self, interval: float, tell: Callable[[_K], None]) -> None:
        self._interval = interval
        self._tell = tell
        self._quiet: dict[_K, asyncio.TimerHandle] = {}
        self._waiting: set[_K] = set()

    def news(self, of: _K) -> None:
        """Something happened."""
        if of in self._quiet:
            self._waiting.add(of)
            return
        self._quiet[of] = asyncio.get_running_loop().call_later(self._interval, self._again, of)
        self._tell(of)

    def close(self) -> None:
        """Tells nothing more."""
        for timer in self._quiet.values():
            timer.cancel()
        self._quiet.clear()
        self._waiting.clear()

    def _again(self, of: _K) -> None:
        del self._quiet[of]
        if of in self._waiting:
            self._waiting.discard(of)
            self.news(of)
