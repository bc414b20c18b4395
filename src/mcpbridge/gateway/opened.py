"""`Opened`: a source that was entered, and the calls under way in it."""

from __future__ import annotations

import asyncio

from mcpbridge.errors import Failure, UpstreamError
from mcpbridge.source.answer import failed
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import Call
from mcpbridge.wrap.held import Held

CHANGED = Failure(
    code="integration_changed",
    message="the integration was changed or switched off while the call was under way, and the call was ended",
    hint="A write may have been done: check first. List the tools again before the next call.",
    sent="unknown",
)


class Opened:
    """Holds a source in a task of its own, from `enter` to `close`, which waits for the calls under way."""

    def __init__(self, source: ToolSource, name: str) -> None:
        self.source = source
        self._held = Held(source, name)
        self._calls: set[asyncio.Timeout] = set()
        self._idle = asyncio.Event()

    async def enter(self) -> None:
        """Enters the source. Raises: UpstreamError where that fails."""
        await self._held.enter()
        if (error := self._held.error) is not None:
            reason = type(error).__name__
            raise UpstreamError(Failure(code="start_failed", message=f"could not be started ({reason})")) from error

    async def call(self, call: Call) -> Answer:
        """The source's answer; a failure where `close` ended the call."""
        scope = asyncio.timeout(None)
        try:
            async with scope:
                self._calls.add(scope)
                return await self.source.call(call)
        except TimeoutError:
            if not scope.expired():
                raise
            return failed(CHANGED)
        finally:
            self._calls.discard(scope)
            if not self._calls:
                self._idle.set()

    async def close(self, finish: float) -> None:
        """Leaves the source. Calls under way have `finish` seconds to end; those that are left are ended then."""
        if self._calls and not await self._idled(finish):
            now = asyncio.get_running_loop().time()
            for scope in self._calls:
                scope.reschedule(now)
            await self._idled(None)
        await self._held.leave()

    async def _idled(self, seconds: float | None) -> bool:
        """Whether no call is under way any more, after at most so many seconds."""
        self._idle.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
