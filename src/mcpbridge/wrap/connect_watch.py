"""`LoginWatch`: notices that a caller who could list nothing has logged in, on whichever replica that was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from mcpbridge.errors import BridgeError
from mcpbridge.tools import Caller
from mcpbridge.wrap.connect_flow import Links

LIFETIME: Final = 900.0
"""Seconds for which a login is looked for: a link's time, and the login's own."""

MOST: Final = 1_000
"""Callers that are looked after at once."""

_SLOWEST: Final = 10
"""Looks grow rarer, up to so many times the first pause."""


class LoginWatch:
    """Looks for the logins of callers that are expected to do one; `arrived` is called when one did."""

    def __init__(self, links: Links, poll: float, arrived: Callable[[], None]) -> None:
        self._links = links
        self._poll = poll
        self._arrived = arrived
        self._tasks: dict[tuple[str | None, ...], asyncio.Task[None]] = {}

    def expects(self, caller: Caller) -> bool:
        """Whether this caller's login is looked for."""
        return caller.key() in self._tasks

    def expect(self, caller: Caller, seen: int | None) -> None:
        """Looks for a login of another version than `seen`."""
        key = caller.key()
        if key in self._tasks or len(self._tasks) >= MOST:
            return
        task = self._tasks[key] = asyncio.create_task(self._look(caller, seen), name="mcpbridge awaits a login")
        task.add_done_callback(lambda _: self._done(key, task))

    async def close(self) -> None:
        """Looks no more."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, caller: Caller, seen: int | None) -> None:
        pause = self._poll
        until = asyncio.get_running_loop().time() + LIFETIME
        while asyncio.get_running_loop().time() < until:
            await asyncio.sleep(pause)
            pause = min(pause * 1.2, self._poll * _SLOWEST)
            try:
                now = await self._links.seen(caller)
            except BridgeError:
                continue  # the store is busy: the next look tells
            if now is not None and now != seen:
                break
        self._done(caller.key(), asyncio.current_task())  # before anybody lists again, and expects the next one
        self._arrived()

    def _done(self, key: tuple[str | None, ...], task: asyncio.Task[None] | None) -> None:
        if self._tasks.get(key) is task:
            self._tasks.pop(key, None)
