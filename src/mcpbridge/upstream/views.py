"""`Views`: who has which session at an upstream. No two users share one, unless the host says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from mcpbridge.errors import Failure
from mcpbridge.tools import ABILITIES, ANYONE, Ability, Caller, ClientChannel, State, Status
from mcpbridge.upstream.view import View

IDLE: Final = 600.0
"""Seconds after which a session that nobody uses is ended."""

LEAVING: Final = 10.0
"""Seconds that connections have to be left; a child needs five at most."""

Who: TypeAlias = tuple[str | None, ...]
Key: TypeAlias = tuple[Who, frozenset[Ability]]

_EVERYTHING = frozenset(ABILITIES)
_WORST_FIRST: Sequence[State] = (
    "failed",
    "reconnect_required",
    "auth_required",
    "connecting",
    "pending",
    "disabled",
    "connected",
)


class Views:
    """Sessions by caller and by what the client behind a call can be asked for, since a server lists by that.

    There are at most `most`; where all of them are in use, one more caller is refused. A listing is that of the session
    in which its caller called last, since what was done there may have changed it; before any call, it is that of a
    client that can be asked for everything, and so are calls of no known client.
    """

    def __init__(
        self, make: Callable[[Caller, frozenset[Ability]], View], *, shared: bool, most: int, where: str
    ) -> None:
        self._make = make
        self._shared = shared
        self._most = most
        self._where = where
        self._views: dict[Key, View] = {}
        self._last: dict[Who, Key] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def seen_as(self, caller: Caller) -> Caller:
        """Whom the upstream is shown: nobody in particular where all share a session."""
        return ANYONE if self._shared else caller

    def of(self, caller: Caller, channel: ClientChannel | None = None) -> View | Failure:
        """The session for a call over this channel, or without one, for a listing; it is made where there is none."""
        key = self._key(caller, channel)
        view = self._views.get(key)
        if view is None:
            if len(self._views) >= self._most and not self._make_room():
                return _full(self._where, self._most)
            view = self._views[key] = self._make(self.seen_as(caller), key[1])
            self._prune_later()
        if channel is not None:
            self._last[key[0]] = key
        return view

    def known(self, caller: Caller) -> View | None:
        """The session of this caller's listings, where there is one."""
        return self._views.get(self._key(caller, None))

    def all(self) -> Sequence[View]:
        """Every session."""
        return tuple(self._views.values())

    def status(self, caller: Caller | None) -> Status:
        """How the sessions of one caller are, or all; the worst counts."""
        who = None if caller is None else self._who(caller)
        each = [view.status() for key, view in self._views.items() if who is None or key[0] == who]
        return min(each, key=_badness, default=Status(state="pending"))

    async def close(self) -> None:
        """Ends every session."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for key in tuple(self._views):
            self._end(key)
        if self._leaving:
            _, stuck = await asyncio.wait(set(self._leaving), timeout=LEAVING)
            for task in stuck:
                task.cancel()

    def _who(self, caller: Caller) -> Who:
        return self.seen_as(caller).key()

    def _key(self, caller: Caller, channel: ClientChannel | None) -> Key:
        who = self._who(caller)
        return self._last.get(who, (who, _EVERYTHING)) if channel is None else (who, channel.abilities)

    def _make_room(self) -> bool:
        """Ends the session that was unused for longest."""
        idle = {key: view.session.used for key, view in self._views.items() if not view.busy}
        if idle:
            self._end(min(idle, key=idle.__getitem__))
        return bool(idle)

    def _prune_later(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(IDLE / 2, self._prune)

    def _prune(self) -> None:
        """Ends what was not used for long. The last one stays: through it the upstream's news are heard."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        for key, view in tuple(self._views.items()):
            if len(self._views) > 1 and not view.busy and now - view.session.used > IDLE:
                self._end(key)
        if self._views:
            self._prune_later()

    def _end(self, key: Key) -> None:
        if self._last.get(key[0]) == key:
            del self._last[key[0]]
        tasks = self._views.pop(key).close()
        self._leaving |= tasks
        for task in tasks:
            task.add_done_callback(self._leaving.discard)


def _badness(status: Status) -> tuple[int, bool]:
    return _WORST_FIRST.index(status.state), not status.code


def _full(where: str, most: int) -> Failure:
    return Failure(
        code="busy",
        message=f"{where} has {most} sessions, and all are in use",
        hint="Try again later. An operator can raise McpSource(sessions=…), or share one session.",
        retryable=True,
    )
