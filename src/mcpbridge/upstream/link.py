"""`Link`: one connection to an upstream, entered, held and left by one task of its own.

A dead upstream cancels the task that entered its client. That must be nobody's who calls.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator
from contextlib import AsyncExitStack, contextmanager
from typing import Final
from weakref import WeakKeyDictionary

from mcp import Client

from mcpbridge.errors import Failure
from mcpbridge.tools import Ability, Caller
from mcpbridge.upstream.connect import Connector, Ears, Line
from mcpbridge.upstream.failures import not_in_time
from mcpbridge.upstream.http import Peer
from mcpbridge.upstream.underway import UnderWay

AT_ONCE: Final = 32
"""Connections that are being opened at once in one event loop; others wait, so that a storm is no standstill."""

_gates: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

logger = logging.getLogger(__name__)


class Link:
    """A connection that is being opened, is open, or was (`dead`). It is never opened twice.

    `opened` is called with the client when it is open, `over` once, when it is of no use any more: it could not be
    opened, or its other side has gone.
    """

    def __init__(
        self,
        connector: Connector,
        *,
        caller: Caller,
        abilities: frozenset[Ability],
        ears: Ears,
        opened: Callable[[Link, Client], None],
        over: Callable[[Link], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        limits = connector.limits
        where = connector.address.where
        self.under_way = UnderWay(where, approval=limits.approval, deadline=limits.deadline)
        self.line = Line(peer=Peer(caller=caller, ended=self.retire), ended=self._gone, ears=ears)
        self._connector = connector
        self._abilities = abilities
        self._greet = opened
        self._over = over
        self._stop = asyncio.Event()
        self._opened: asyncio.Future[Client | Failure] = loop.create_future()
        self._uses = 0
        self.began = loop.time()
        self.dead = False
        self.task = asyncio.create_task(self._hold(), name=f"mcpbridge link {where}")

    async def client(self) -> Client | Failure:
        """The open client, or why there is none. Cancelling whoever waits here cancels nothing else."""
        if not self._opened.done():
            await asyncio.wait({self._opened})
        return self._opened.result()

    @property
    def open(self) -> Client | None:
        """The client while it is open."""
        settled = self._opened.result() if self._opened.done() and not self.dead else None
        return settled if isinstance(settled, Client) else None

    @property
    def was_open(self) -> bool:
        """Whether it could be opened."""
        return self._opened.done() and isinstance(self._opened.result(), Client)

    @property
    def failure(self) -> Failure | None:
        """Why it could not be opened."""
        settled = self._opened.result() if self._opened.done() else None
        return settled if isinstance(settled, Failure) else None

    @contextmanager
    def used(self) -> Generator[None]:
        """A call uses it: until that ends, it is not left because of something that concerns other calls."""
        self._uses += 1
        try:
            yield
        finally:
            self._uses -= 1
            if self.dead and not self._uses:
                self._stop.set()

    def retire(self) -> None:
        """No call shall begin on it any more; the last of those under way ends it."""
        self._finish()
        if not self._uses:
            self._stop.set()

    def end(self) -> None:
        """Ends it now; whoever waits for an answer hears of that from the client."""
        self._finish()
        self._stop.set()
        if not self._opened.done():
            self.task.cancel()

    def _gone(self) -> None:
        """Its other side has gone. While it is being opened, the client says more of why."""
        if self._opened.done():
            self.end()

    def _finish(self) -> None:
        if not self.dead:
            self.dead = True
            self._over(self)

    async def _hold(self) -> None:
        failure: Failure | None = None
        try:
            failure = await self._session()
            if failure is not None and await self._worth_another(failure):
                failure = await self._session()
        finally:
            self._settle(failure or self._too_late())
            self._finish()

    async def _worth_another(self, failure: Failure) -> bool:
        judged = await self._connector.address.judged(failure, self.line.peer)
        if judged is not None:
            self._settle(judged)
        return judged is None

    async def _session(self) -> Failure | None:
        """Opens and holds it; gives why it could not be opened."""
        loop = asyncio.get_running_loop()
        try:
            async with AsyncExitStack() as stack:
                async with _gate():
                    timer = loop.call_later(self._connector.limits.connect, self._overdue)
                    try:
                        made = self._connector.client(self.line, self.under_way, self._abilities)
                        client = await stack.enter_async_context(made)
                    finally:
                        timer.cancel()
                self.line.version = client.protocol_version
                self._settle(client)
                if not self.dead:
                    self._greet(self, client)
                await self._stop.wait()
        except Exception as error:  # whatever the SDK raises here concerns this connection alone
            logger.debug("the connection to %s ended", self._connector.address.where, exc_info=error)
            return self._connector.failure(error)
        return None

    def _overdue(self) -> None:
        self._settle(self._too_late())
        self.task.cancel()

    def _too_late(self) -> Failure:
        address = self._connector.address
        return not_in_time(address.where, self._connector.limits, noise=address.written.noise)

    def _settle(self, opened: Client | Failure) -> None:
        if not self._opened.done():
            self._opened.set_result(opened)
            if isinstance(opened, Failure):
                self._finish()


def _gate() -> asyncio.Semaphore:
    return _gates.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))
