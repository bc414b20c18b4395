"""`Link`: one connection to an upstream, entered, held and left by one task of its own.

A dead upstream cancels the task that entered its client. That must be nobody's who calls.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack

from mcp import Client

from mcpbridge.errors import Failure
from mcpbridge.net.limits import Limits
from mcpbridge.upstream.failures import not_in_time, of_connecting

logger = logging.getLogger(__name__)


class Link:
    """A connection that is being opened, is open, or was (`dead`). It is never opened twice."""

    def __init__(self, connect: Callable[[Link], Client], where: str, limits: Limits) -> None:
        self._connect = connect
        self._where = where
        self._limits = limits
        self._stop = asyncio.Event()
        self._opened: asyncio.Future[Client | Failure] = asyncio.get_running_loop().create_future()
        self.dead = False
        self.version = ""
        self.task = asyncio.create_task(self._hold(), name=f"mcpbridge link {where}")
        self.task.add_done_callback(_noted)

    async def client(self) -> Client | Failure:
        """The open client, or why there is none. Cancelling whoever waits here cancels nothing else."""
        await asyncio.wait({self._opened}, timeout=self._limits.connect)
        if not self._opened.done():
            self.abandon()
            return not_in_time(self._where, self._limits)
        return self._opened.result()

    @property
    def connected(self) -> bool:
        """Whether it is open."""
        return self._opened.done() and not self.dead

    def abandon(self) -> None:
        """Nobody will use it any more; its task leaves the client by and by."""
        self.ended()
        if not self._opened.done():
            self.task.cancel()

    def ended(self) -> None:
        """The other side has gone; whoever waits for an answer hears of that from the client."""
        self.dead = True
        self._stop.set()

    async def _hold(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(self._limits.connect):
                    client = await stack.enter_async_context(self._connect(self))
                self.version = client.protocol_version
                self._opened.set_result(client)
                await self._stop.wait()
        except Exception as error:
            self._settle(of_connecting(error, self._where, self._limits))
            logger.debug("the connection to %s ended", self._where, exc_info=error)
        finally:
            self.dead = True
            self._settle(not_in_time(self._where, self._limits))

    def _settle(self, failure: Failure) -> None:
        if not self._opened.done():
            self._opened.set_result(failure)


def _noted(task: asyncio.Task[None]) -> None:
    """Takes note of how a link ended: a dead upstream may have cancelled it together with an error."""
    if not task.cancelled() and task.exception() is not None:
        logger.debug("%s ended", task.get_name(), exc_info=task.exception())
