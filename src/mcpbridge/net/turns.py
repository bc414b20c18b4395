"""`Turns`: how many calls one upstream has under way at once; the others wait, in order, and not for long.

An upstream that hangs fills its own places and nothing else: memory, tasks and connections stay bounded, and whoever
calls it hears soon that it is busy.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

from mcpbridge.errors import Failure
from mcpbridge.net.limits import Limits


class NoTurn(Exception):
    """No place became free in time; the call did not leave."""


class Turns:
    """`limits.calls` places, each held by one `async with`. Who waits longer than `limits.turn` gets `NoTurn`."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._places = asyncio.Semaphore(max(1, int(limits.calls)))
        # The wait ends before the deadline does, so that it is known that nothing has left.
        self._patience = min(limits.turn, limits.deadline * 0.9)

    async def __aenter__(self) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        limit = asyncio.timeout(self._patience)
        try:
            async with limit:
                await self._places.acquire()
        except TimeoutError:
            raise NoTurn from None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._places.release()

    def failure(self, where: str) -> Failure:
        """What `NoTurn` means for a call; `where` names the upstream."""
        return Failure(
            code="busy",
            message=f"{where} has {self._limits.calls} calls under way, and none ended within {self._patience:g} s",
            hint="Nothing was sent. Try again later. An operator can raise Limits(calls=…, turn=…).",
            retryable=True,
            sent="no",
        )
