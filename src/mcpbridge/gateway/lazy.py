"""`Lazy`: an integration that is made ready with its first use, and counts for nothing until then."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TypeAlias, get_args

from mcpbridge.errors import BridgeError, Failure, UpstreamError
from mcpbridge.gateway.health import Transition, after_call, hinted, unstarted, worst
from mcpbridge.gateway.opened import Opened
from mcpbridge.integrations.stored import StoredIntegration
from mcpbridge.source.answer import error_of, failed, failure_of
from mcpbridge.source.base import Answer, Listener, ToolSource
from mcpbridge.tools import Call, Caller, Item, Kind, Status
from mcpbridge.upstream.backoff import Backoff

logger = logging.getLogger(__name__)

Make: TypeAlias = Callable[[], Awaitable[ToolSource]]
Told: TypeAlias = Callable[[Transition], None]

ATTEMPTS = 10
"""Failed attempts that are remembered: the wait after them has stopped to grow."""

_BACKOFF = Backoff(most=30.0, restarts=100)

FAULTS = 1_000
"""Callers whose own troubles are remembered; beyond that the oldest are forgotten."""


class Lazy(ToolSource):
    """One integration of a tenant. Who may see it is decided around it.

    make     gives the source, when it is first used; what fails is tried again with a later use, ever more seldom
    told     hears when the status changes
    finish   seconds that calls under way have to end when it is left
    clock    gives seconds of the Unix epoch
    """

    def __init__(
        self,
        stored: StoredIntegration,
        make: Make,
        *,
        told: Told,
        finish: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.stored = stored
        self._make = make
        self._told = told
        self._finish = finish
        self._clock = clock
        self._status = Status(state="pending")
        self._own: dict[tuple[str | None, ...], Status] = {}
        self._opened: Opened | None = None
        self._opening: asyncio.Task[Opened] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._begun: list[float] = []
        self._failure: Failure | None = None
        self._again = 0.0
        self._generation = 0
        self._listeners: list[Listener] = []
        self._unwatch: Callable[[], None] | None = None

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        opened = await self._ready()
        try:
            items = await opened.source.list(kind, caller)
        except UpstreamError as error:
            await self._note(opened, caller, error.failure)
            raise
        if self.stored.record.protocol == "mcp":  # the listing of an HTTP API is read from its description
            await self._note_well(opened, caller)
        return items

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        return await (await self._ready()).source.get(kind, key, caller)

    async def call(self, call: Call) -> Answer:
        try:
            opened = await self._ready()
        except UpstreamError as error:
            return failed(replace(error.failure, id=call.id))
        answer = await opened.call(call)
        failure = error_of(answer)
        if failure is None:
            await self._note_well(opened, call.caller)
        else:
            await self._note(opened, call.caller, failure)
        return answer

    async def status(self, caller: Caller | None = None) -> Status:
        """For one caller, or the worst of all."""
        own = self._own.values() if caller is None else filter(None, [self._own.get(caller.key())])
        inner = Status() if self._opened is None else await self._opened.source.status(caller)
        known = [self._status, *own]
        return worst([*([] if inner.state == "connected" else [hinted(inner, known)]), *known])

    def version(self, caller: Caller) -> str:
        inner = "" if self._opened is None else self._opened.source.version(caller)
        return f"{id(self):x}.{self._generation}.{inner}"

    def watch(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)

        def end() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return end

    def holds_until(self, caller: Caller) -> float | None:
        return None if self._opened is None else self._opened.source.holds_until(caller)

    async def subscribe(self, uri: str, caller: Caller, listener: Callable[[], None]) -> Callable[[], None]:
        return await (await self._ready()).source.subscribe(uri, caller, listener)

    async def reconnect(self) -> Status:
        """Makes it ready anew, now; calls under way end on the old connection. Gives the status after that."""
        await self._stop_opening()
        self._again, self._failure = 0.0, None
        self._begun.clear()
        self._own.clear()
        self._retire()
        with contextlib.suppress(UpstreamError):  # stands in the status
            await self.list("tool", Caller(tenant=self.stored.tenant))
        return await self.status()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop_opening()
        self._retire()
        while self._leaving:
            await asyncio.wait(self._leaving)

    async def _ready(self) -> Opened:
        """The source, entered. Raises: UpstreamError."""
        if self._opened is not None:
            return self._opened
        if self._opening is None:
            left = self._again - self._clock()
            if self._failure is not None and left > 0:
                raise UpstreamError(replace(self._failure, sent="no", retry_after=round(left, 1)))
            self._opening = asyncio.create_task(self._open(), name=f"mcpbridge opens {self.stored.name}")
            self._opening.add_done_callback(_heard)
        return await _shielded(self._opening)

    async def _open(self) -> Opened:
        self._move(Status(state="connecting", since=self._clock()))
        self._begun = [*self._begun[-ATTEMPTS:], self._clock()]
        try:
            opened = await self._entered(Opened(await self._make(), self.stored.name))
        except BridgeError as error:
            raise self._failed(failure_of(error)) from error
        except Exception as error:
            logger.exception("the integration %r could not be made ready", self.stored.name)
            failure = Failure(code="start_failed", message=f"could not be made ready ({type(error).__name__})")
            raise self._failed(failure) from error
        self._opening, self._opened, self._failure = None, opened, None
        self._begun.clear()
        self._unwatch = opened.source.watch(self._tell)
        self._move(Status(state="pending", code="unused", message="no call was made yet", since=self._clock()))
        self._changed()
        return opened

    async def _entered(self, opened: Opened) -> Opened:
        try:
            await opened.enter()
        except BaseException:
            self._leave(opened)
            raise
        return opened

    async def _stop_opening(self) -> None:
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            await asyncio.wait({opening})

    def _failed(self, failure: Failure) -> UpstreamError:
        now = self._clock()
        self._opening = None
        self._failure = failure = replace(failure, message=f"{self.stored.name}: {failure.message}")
        self._again = now + _BACKOFF.wait(self._begun, now, opened=False, chance=random.random())  # noqa: S311 - spreads load, guards nothing
        self._move(unstarted(failure, at=now, next_retry=self._again))
        return UpstreamError(failure)

    def _retire(self) -> None:
        """Leaves the source that is open, when its calls are done."""
        opened, self._opened = self._opened, None
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None
        if opened is not None:
            self._leave(opened)

    def _leave(self, opened: Opened) -> None:
        task = asyncio.create_task(opened.close(self._finish), name=f"mcpbridge leaves {self.stored.name}")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _note_well(self, opened: Opened, caller: Caller) -> None:
        if self._status.state != "connected" or self._own:
            await self._note(opened, caller, None)

    async def _note(self, opened: Opened, caller: Caller, failure: Failure | None) -> None:
        """Remembers how a use ended: what is about a credential concerns the caller, the rest everybody."""
        if opened is not self._opened:
            return
        signed, key = self.stored.record.auth.type != "none", caller.key()
        old = self._own.get(key, self._status)
        new = after_call(old, failure, at=self._clock(), signed=signed)
        if new.state in {"auth_required", "reconnect_required"}:
            if len(self._own) >= FAULTS:
                self._own.pop(next(iter(self._own)))
            self._own[key] = new
            self._report(old, new, caller)
            return
        if new.state == "connected" and self._own.pop(key, None) is not None:
            self._report(old, new, caller)
        self._move(after_call(self._status, failure, at=self._clock(), signed=signed))

    def _move(self, new: Status) -> None:
        old, self._status = self._status, new
        self._report(old, new, None)

    def _report(self, old: Status, new: Status, caller: Caller | None) -> None:
        if (old.state, old.code) != (new.state, new.code):
            tenant, name = self.stored.tenant, self.stored.name
            self._told(Transition(tenant=tenant, name=name, before=old, after=new, caller=caller))

    def _changed(self) -> None:
        self._generation += 1
        if self._generation > 1:
            for kind in get_args(Kind):
                self._tell(kind)

    def _tell(self, kind: Kind) -> None:
        for listener in tuple(self._listeners):
            listener(kind)


def _heard(task: asyncio.Task[Opened]) -> None:
    if not task.cancelled():
        task.exception()  # stands in the status; who asked for it may be gone


async def _shielded(task: asyncio.Task[Opened]) -> Opened:
    """What the task gives; who stops waiting stops nothing else. Raises: UpstreamError, also where it was stopped."""
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.cancelled():
            raise UpstreamError(
                Failure(
                    code="integration_changed",
                    message="the integration was changed while it was made ready",
                    hint="List the tools again, then call.",
                    retryable=True,
                )
            ) from None
        raise
