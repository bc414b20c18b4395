"""`Held`: a source that is entered and left in one task of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator, Sequence
from typing import Any

from mcpbridge.source.base import ToolSource

logger = logging.getLogger(__name__)


class Settled:
    """Several futures as one awaitable, that needs no event loop to be made and no one to await it."""

    def __init__(self, futures: Sequence[asyncio.Future[None]] = ()) -> None:
        self._futures = futures

    def __await__(self) -> Generator[Any, None, None]:
        return self.within(None).__await__()

    async def within(self, seconds: float | None) -> None:
        """Waits for all of them, at most this long. Who stops waiting stops nothing else."""
        if self._futures:
            await asyncio.wait(self._futures, timeout=seconds)


class Held:
    """Keeps a source entered, from `enter` to `leave`.

    A session with an upstream has to be left by the task that entered it (its cancel scopes say so), and one that
    fails must not take others along: so each source has its own task. `error` is what entering or leaving raised.
    """

    def __init__(self, source: ToolSource, name: str) -> None:
        self.source = source
        self.name = name
        self.error: BaseException | None = None
        self._stop = asyncio.Event()
        self._entered: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def entering(self) -> bool:
        """Whether the source is being entered just now."""
        return self._entered is not None and not self._entered.done()

    async def ready(self) -> None:
        """Waits while the source is being entered."""
        if self._entered is not None and not self._entered.done():
            await Settled([self._entered])

    def enter(self) -> asyncio.Future[None]:
        """Begins to enter the source; the future is done when that came to an end, well or not. It never raises."""
        self._entered = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._hold(self._entered), name=f"mcpbridge source {self.name}")
        return self._entered

    def leave(self) -> asyncio.Future[None]:
        """Begins to leave the source; the future is done when it was left. It never raises.

        A source that is still being entered is cancelled.
        """
        self._stop.set()
        left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._task is None or self._entered is None or self._task.done():
            left.set_result(None)
            return left
        if not self._entered.done():
            self._task.cancel()
        self._task.add_done_callback(lambda _: _finish(left))
        return left

    async def _hold(self, entered: asyncio.Future[None]) -> None:
        try:
            async with self.source:
                _finish(entered)
                await self._stop.wait()
        except Exception as error:  # one source that fails must not end the others; the reason is kept and logged
            logger.exception("source %r failed while it was entered or left", self.name)
            self.error = error
        except asyncio.CancelledError as error:
            if not self._stop.is_set():  # a session that dies may cancel the task that entered it
                logger.warning("source %r cancelled the task that holds it", self.name)
                self.error = error
            raise
        finally:
            _finish(entered)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
