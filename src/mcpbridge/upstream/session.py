"""`Session`: what one caller has at an upstream: a connection that is opened when it is wanted, and again when lost."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Final, TypeVar

from mcp import Client
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from mcpbridge.errors import Failure
from mcpbridge.tools import Ability, Caller, ClientChannel, State, Status
from mcpbridge.upstream.backoff import Backoff
from mcpbridge.upstream.connect import Connector, Ears
from mcpbridge.upstream.failures import ended, ends_session, of_answer, unanswered, unreadable
from mcpbridge.upstream.link import Link

_R = TypeVar("_R")

_NEEDS_LOGIN: Final = frozenset({"auth_required", "reconnect_required"})

_chance: Final = random.Random().random  # noqa: S311 - it spreads load and guards nothing


class Session:
    """A connection that heals. `opened` is called with each client, also with those that come after a loss.

    What was lost is opened again after a wait (see `Backoff`); the next call does not wait after a first loss. While
    it can't be opened, calls fail at once, with the seconds until the next attempt. What can't succeed without being
    changed (`Failure.retryable`) is attempted again only by a call.
    """

    def __init__(
        self,
        connector: Connector,
        *,
        caller: Caller,
        abilities: frozenset[Ability],
        ears: Ears,
        backoff: Backoff,
        opened: Callable[[Link, Client], None],
    ) -> None:
        self._connector = connector
        self._caller = caller
        self._abilities = abilities
        self._ears = ears
        self._backoff = backoff
        self._opened = opened
        self._loop = asyncio.get_running_loop()
        self._link: Link | None = None
        self._links: set[Link] = set()
        self._begun: list[float] = []
        self._failure: Failure | None = None
        self._next = 0.0
        self._retry: asyncio.TimerHandle | None = None
        self._closed = False
        self._since = time.time()
        self.calls = 0
        self.used = self._loop.time()

    async def use(
        self, act: Callable[[Client], Awaitable[_R]], *, caller: Caller, channel: ClientChannel | None = None
    ) -> _R | Failure:
        """What `act` gives on an open client, or a Failure. A deadline covers connecting too.

        With a channel it is a call, about which the upstream may ask and log in between.
        """
        self._caller = caller
        self.calls += 1
        connected = False
        deadline = asyncio.timeout(self._connector.limits.deadline)
        try:
            async with deadline:
                link = self._take()
                if isinstance(link, Failure):
                    return link
                link.line.peer.caller = caller
                with link.used(), link.under_way.call(channel, deadline) if channel else nullcontext():
                    client = await link.client()
                    if isinstance(client, Failure):
                        return client
                    connected = True
                    if channel is not None and channel.log_level is not None:
                        await link.under_way.log_from(client, channel.log_level)
                    return await self._acted(link, client, act)
        except TimeoutError:
            if not deadline.expired():
                raise
            return unanswered(self._connector.address.where, self._connector.limits, connected=connected)
        finally:
            self.calls -= 1
            self.used = self._loop.time()

    def status(self) -> Status:
        """How it is, since when, and when it is tried again."""
        if self._link is not None:
            return Status(state="connecting" if self._link.open is None else "connected", since=self._since)
        if self._failure is None:
            return Status(state="pending", since=self._since)
        if self._retry is not None and self._next <= self._loop.time():
            return Status(state="connecting", since=self._since)
        again = None if self._retry is None else time.time() + self._retry.when() - self._loop.time()
        return Status(
            state=_state(self._failure),
            code=self._failure.code,
            message=self._failure.message,
            since=self._since,
            next_retry=again,
        )

    def renew(self) -> None:
        """Forgets past failures, and connects again with the next use."""
        self._forget_retry()
        self._begun.clear()
        self._failure = None
        if self._link is not None:
            self._link.retire()

    def close(self) -> set[asyncio.Task[None]]:
        """Ends it; gives the tasks that are still leaving."""
        self._closed = True
        self._forget_retry()
        for link in tuple(self._links):
            link.end()
        return {link.task for link in self._links}

    async def _acted(self, link: Link, client: Client, act: Callable[[Client], Awaitable[_R]]) -> _R | Failure:
        try:
            return await act(client)
        except MCPError as error:
            failure = of_answer(error, self._connector.address.where)
            if ends_session(error, failure):
                link.retire()
            return failure
        except (ValidationError, RecursionError):
            return unreadable(self._connector.address.where)

    def _take(self) -> Link | Failure:
        if self._link is not None:
            return self._link
        left = self._next - self._loop.time()
        if self._failure is not None and left > 0:
            return replace(self._failure, sent="no", retry_after=round(left, 1))
        return self._open()

    def _open(self) -> Link:
        self._forget_retry()
        self._begun.append(self._loop.time())
        link = Link(
            self._connector,
            caller=self._caller,
            abilities=self._abilities,
            ears=self._ears,
            opened=self._greeted,
            over=self._lost,
        )
        self._link = link
        self._links.add(link)
        self._since = time.time()
        link.task.add_done_callback(lambda _: self._left(link))
        return link

    def _greeted(self, link: Link, client: Client) -> None:
        self._failure = None
        self._since = time.time()
        self._opened(link, client)

    def _left(self, link: Link) -> None:
        self._links.discard(link)
        if not link.task.cancelled():
            link.task.exception()  # a dead upstream may have ended the task with an error; it was told already

    def _lost(self, link: Link) -> None:
        if link is not self._link:
            return
        self._link = None
        if self._closed:
            return
        now = self._loop.time()
        opened = link.was_open
        if opened and now - link.began >= self._backoff.window:
            del self._begun[:-1]
        self._failure = link.failure or ended(self._connector.address.where)
        self._since = time.time()
        wait = self._backoff.wait(self._begun, now, opened=opened, chance=_chance())
        # a first loss keeps no call waiting; a login that is missing may be there any moment, and nothing left without
        at_once = (opened and len(self._begun) == 1) or self._failure.code in _NEEDS_LOGIN
        self._next = now if at_once else now + wait
        if self._failure.retryable:
            self._retry = self._loop.call_later(wait, self._open)

    def _forget_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None


def _state(failure: Failure) -> State:
    """The state of a session that could not be opened."""
    if failure.code == "reconnect_required":
        return "reconnect_required"
    return "auth_required" if failure.status == 401 or failure.code == "auth_required" else "failed"
