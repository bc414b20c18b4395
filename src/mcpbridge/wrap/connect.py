"""`Connect`: a call that needs a login gives its caller a link, waits for the login, and then goes through."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Final, get_args

from mcpbridge.errors import AuthRequired, BridgeError, ConfigError, ToolNotFound, UpstreamError
from mcpbridge.source.answer import failure_of
from mcpbridge.source.base import Answer, Listener, ToolSource, Verdict, Wrapper
from mcpbridge.tools import Call, Caller, Item, Json, Kind
from mcpbridge.wrap.connect_answers import CONNECT, connected, needs_login, tool_of
from mcpbridge.wrap.connect_flow import Links, LoginFlow, scopes_of
from mcpbridge.wrap.connect_watch import LoginWatch

PATIENCE: Final = 45.0
"""Seconds; many clients give a call up after sixty."""

_ages: Iterator[int] = itertools.count(1)


class Connect(Wrapper):
    """Puts a person's login where a source's calls fail for want of one (`auth_required`, `reconnect_required`).

    A client that can open URLs is asked to open the link, and the call waits up to `patience` seconds for the login,
    looking every `poll` seconds, and then is made; the login may be done on any replica. Any other client gets a
    failure with the link in its text and in `details.url`, and calls again after the login.

    Where not even a listing can be had before a login, the caller sees one tool, `connect` (read), that does the same.
    After the login the real tools appear, and listeners are told. `connect` can be called at any time, to log in early.

    `links` makes the links: `LoginLinks` of the source's strategy. It stands around one source, inside `Approve`,
    `Retry` and whatever gives names a prefix.

    Raises: ConfigError for seconds that can't be.
    """

    def __init__(self, inner: ToolSource, links: Links, *, patience: float = PATIENCE, poll: float = 0.5) -> None:
        super().__init__(inner)
        if not (patience >= 0 and poll > 0):
            raise ConfigError(f"Connect(patience={patience!r}, poll={poll!r}): patience is 0 or more, poll above 0")
        self._links = links
        self._flow = LoginFlow(links=links, patience=patience, poll=poll)
        self._tool = tool_of(links.integration)
        self._watch = LoginWatch(links, poll, self._arrived)
        self._listeners: list[Listener] = []
        self._age = next(_ages)

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        items = await self._listing(kind, caller)
        if items is None:
            can, seen = await self._login_to_wait_for(caller)
            if seen is not None:  # a login may have been done since
                items = await self._listing(kind, caller)
            if items is None:
                if can:
                    self._watch.expect(caller, seen)
                return [self._tool] if kind == "tool" else []
        return items

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        ours = (kind, key) == ("tool", CONNECT)
        try:
            return await self.inner.get(kind, key, caller)
        except ToolNotFound:
            if ours:
                return self._tool
            raise
        except (AuthRequired, UpstreamError) as error:
            if not needs_login(failure := failure_of(error)):
                raise
            if ours:
                return self._tool
            scopes = scopes_of(failure)
            raise AuthRequired(failure.message, url=await self._link(caller, scopes), scopes=scopes) from error

    async def call(self, call: Call) -> Answer:
        if (call.kind, call.name) == ("tool", CONNECT) and await self._begins_login(call.caller):
            return await self._flow.answer(call, self._connected)
        return await self._flow.answer(call, self.inner.call)

    async def explain(
        self, key: str, caller: Caller, arguments: Mapping[str, Json] | None = None, *, kind: Kind = "tool"
    ) -> Sequence[Verdict]:
        if (kind, key) == ("tool", CONNECT) and await self._begins_login(caller):
            return [Verdict(layer=type(self).__name__, allowed=True, code="found", message="begins a login")]
        return await super().explain(key, caller, arguments, kind=kind)

    def version(self, caller: Caller) -> str:
        """While a login is expected every version is a new one, so that nobody keeps the listing before it."""
        age = next(_ages) if self._watch.expects(caller) else self._age
        return f"{self.inner.version(caller)}|{age}"

    def watch(self, listener: Listener) -> Callable[[], None]:
        end = self.inner.watch(listener)
        self._listeners.append(listener)

        def ended() -> None:
            end()
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return ended

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._watch.close()
        await super().__aexit__(kind, error, trace)

    async def _listing(self, kind: Kind, caller: Caller) -> Sequence[Item] | None:
        """The inner listing; None where it needs a login."""
        try:
            return await self.inner.list(kind, caller)
        except (AuthRequired, UpstreamError) as error:
            if needs_login(failure_of(error)):
                return None
            raise

    async def _login_to_wait_for(self, caller: Caller) -> tuple[bool, int | None]:
        """Whether a login can be waited for, and the version of the one that there is."""
        try:
            return True, await self._links.seen(caller)
        except BridgeError:  # a caller who is nobody, or a store that fails now
            return False, None

    async def _begins_login(self, caller: Caller) -> bool:
        """Whether `connect` is our tool: the source may have one of this name."""
        try:
            await self.inner.get("tool", CONNECT, caller)
        except (AuthRequired, UpstreamError, ToolNotFound):
            return True
        return False

    async def _connected(self, call: Call) -> Answer:
        """What `connect` does once there is a login. Raises: AuthRequired before that, UpstreamError."""
        can, seen = await self._login_to_wait_for(call.caller)
        if can and seen is None:  # a listing alone may need none
            raise AuthRequired(f"{self._links.integration!r} needs a login: a person has to log in")
        return connected(self._links.integration, len(await self.inner.list("tool", call.caller)))

    async def _link(self, caller: Caller, scopes: Sequence[str]) -> str | None:
        try:
            return await self._links.link(caller, scopes)
        except BridgeError:
            return None  # the failure itself says what is missing

    def _arrived(self) -> None:
        self._age = next(_ages)
        for kind in get_args(Kind):
            for listener in tuple(self._listeners):
                listener(kind)
