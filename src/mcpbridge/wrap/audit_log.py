"""`AuditLog`: a bounded queue before a sink, so that a call does not wait for a disk."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Self

from mcpbridge.errors import BridgeError, ConfigError
from mcpbridge.wrap.audit_event import AuditEvent, AuditSink

logger = logging.getLogger(__name__)

LINGER = 0.05
"""Seconds that events wait for others, to be written together."""


class AuditUnavailable(BridgeError):
    """An event that had to be written down first could not be."""

    code = "audit_unavailable"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Queued:
    event: AuditEvent
    written: asyncio.Future[None] | None = None


class AuditLog:
    """Events on their way to a sink, in order. It is written to from `async with` on, and empties itself at the end.

    `limit` bounds the events that wait; what comes beyond it while the sink is down is lost, and counted in an event of
    kind `gap`. `batch` is how many are written together, `wait` how many seconds an event that has to be written is
    waited for, `retry` how many pass before a sink that failed is tried again. `clock` gives seconds of the Unix epoch.

    Entered more than once, it ends with the last that leaves.
    """

    def __init__(
        self,
        sink: AuditSink,
        *,
        limit: int = 10_000,
        batch: int = 200,
        wait: float = 5.0,
        retry: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if min(limit, batch) < 1 or min(wait, retry) <= 0:
            raise ConfigError("an AuditLog needs limit, batch >= 1 and wait, retry > 0")
        self.sink = sink
        self.clock = clock
        self.error: Exception | None = None
        """Why the sink was down when it was tried last."""
        self.lost = 0
        """How many events were lost since a gap was recorded last."""
        self._limit, self._batch, self._wait, self._retry = limit, batch, wait, retry
        self._queue = deque[_Queued]()
        self._some, self._urgent = asyncio.Event(), asyncio.Event()
        self._entered, self._closing = 0, False
        self._task: asyncio.Task[None] | None = None

    def note(self, event: AuditEvent) -> None:
        """Puts an event into the queue; it never waits and never raises."""
        if len(self._queue) >= self._limit:
            self.lost += 1
            return
        self._queue.append(_Queued(event=event))
        self._some.set()
        if len(self._queue) >= self._batch:
            self._urgent.set()

    async def record(self, event: AuditEvent) -> None:
        """Writes an event down, after those that wait; when it returns it is written.

        Raises: AuditUnavailable, where it was not written in time; it stays in the queue all the same.
        """
        if self._task is None:
            raise ConfigError("the audit log is not open: enter it, or the source that it audits, with `async with`")
        if len(self._queue) >= self._limit:
            raise AuditUnavailable("the audit's queue is full: make its sink work again") from self.error
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(_Queued(event=event, written=written))
        self._some.set()
        self._urgent.set()
        try:
            async with asyncio.timeout(self._wait):
                await written
        except TimeoutError:
            raise AuditUnavailable(f"the audit did not take an event in {self._wait} s: look at its sink") from None

    async def __aenter__(self) -> Self:
        self._entered += 1
        if self._task is None:
            self._closing = False
            self._task = asyncio.create_task(self._write(), name="mcpbridge audit")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered -= 1
        if self._entered or self._task is None:
            return
        task, self._task, self._closing = self._task, None, True
        self._some.set()
        self._urgent.set()
        await asyncio.wait([task], timeout=self._wait)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        if left := len(self._queue):
            logger.error("the audit was closed with %d events unwritten: %s", left, self.error)

    async def _write(self) -> None:
        while not (self._closing and not self._queue):
            await self._some.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER):
                    await self._urgent.wait()
            if not self._closing:
                self._urgent.clear()
            batch = [*islice(self._queue, self._batch)]
            await self._append(batch)
            for _ in batch:
                self._queue.popleft()
            if not self._queue:
                self._some.clear()

    async def _append(self, batch: Sequence[_Queued]) -> None:
        """Writes a batch, however often that has to be tried: the same events each time."""
        events = [*self._gap(), *(queued.event for queued in batch)]
        while events:
            try:
                await self.sink.append(events)
            except Exception as error:  # noqa: BLE001 - a host's sink may raise anything; the events are kept
                self._failed(error, batch)
                await asyncio.sleep(self._retry)
            else:
                break
        self.error = None
        for queued in batch:
            if queued.written is not None and not queued.written.done():
                queued.written.set_result(None)

    def _failed(self, error: Exception, batch: Sequence[_Queued]) -> None:
        if self.error is None:
            logger.error("the audit can't be written, and is tried again: %s", error)
        self.error = error
        for queued in batch:
            if queued.written is not None and not queued.written.done():
                refused = AuditUnavailable("the audit can't be written: make its sink work again")
                refused.__cause__ = error
                queued.written.set_exception(refused)

    def _gap(self) -> Sequence[AuditEvent]:
        if not self.lost:
            return ()
        lost, self.lost = self.lost, 0
        details = {"count": lost}
        gap = AuditEvent(
            kind="gap", what="audit", action="lose", outcome="failed", at=self.clock(), reason="down", details=details
        )
        return [gap]
