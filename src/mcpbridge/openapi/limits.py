"""How much of a description is read before it is refused, and the problems that reading it finds."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from mcpbridge.errors import DescriptionError


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadLimits:
    """The most that one description may cost; each limit has its own error.

    bytes       of all its files together
    operations  in the whole description
    depth       of nested JSON or YAML containers
    aliases     nodes that YAML aliases add when they are written out
    files       of a description of several files
    seconds     for reading and converting it
    """

    bytes: int = 64 * 1024 * 1024
    operations: int = 20_000
    depth: int = 500
    aliases: int = 1_000_000
    files: int = 20_000
    seconds: float = 20.0


class Deadline:
    """Ends a reading that takes too long. The clock counts seconds and is given, so that tests own it."""

    __slots__ = ("_clock", "_ends", "seconds")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._ends = clock() + seconds

    def check(self) -> None:
        """Raises: DescriptionError once the time is up."""
        if self._clock() > self._ends:
            raise DescriptionError(
                f"reading the description took more than {self.seconds:g} s; raise the limit or split the description"
            )


class CollectorPaused:
    """While entered, Python's cyclic collector rests: it would scan a growing tree again and again for nothing."""

    __slots__ = ("_running",)

    def __enter__(self) -> None:
        self._running = gc.isenabled()
        gc.disable()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running:
            gc.enable()
