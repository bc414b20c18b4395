"""`Flights`: one task for each key, however many wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Flights(Generic[K, T]):
    """Whoever comes while a key's task runs waits for that one. A waiter that is cancelled takes nobody with it."""

    def __init__(self) -> None:
        self._tasks: dict[K, asyncio.Task[T]] = {}

    async def join(self, key: K, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the key's task gives; `work` begins one where there is none."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.ensure_future(work())
            task.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(task)

    def _landed(self, key: K, done: asyncio.Task[T]) -> None:
        self._tasks.pop(key, None)
        if not done.cancelled():
            done.exception()  # seen, also where every waiter has left
