"""`Bus`: where it is told that a listing may have changed, in this process or to all replicas of a gateway."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from mcpbridge.source.base import Listener
from mcpbridge.tools import Kind

logger = logging.getLogger(__name__)


class Bus(Protocol):
    """Carries the kinds whose listing may have changed to every server that shares it.

    What is told is a hint: whoever hears it looks at its own source, and tells a client only where that client's
    listing is another one. So the same news may come twice, late, or for nothing.

    A bus across replicas sends what is published to the others, and gives what comes from them to its listeners, in
    the event loop; it holds a `LocalBus` for those of its own process::

        class PostgresBus:
            def __init__(self, pool):
                self._pool, self._here = pool, LocalBus()

            async def open(self, connection):
                await connection.add_listener("mcpbridge", lambda *heard: self._here.publish(heard[-1]))

            def publish(self, kind):
                asyncio.ensure_future(self._pool.execute("SELECT pg_notify('mcpbridge', $1)", kind))

            def subscribe(self, listener):
                return self._here.subscribe(listener)
    """

    def publish(self, kind: Kind) -> None:
        """Tells everybody. Never waits and never raises."""
        ...

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tells the listener from now on; the function given back ends that, and may be called twice."""
        ...


class LocalBus:
    """The bus of one process."""

    def __init__(self) -> None:
        self._listeners: dict[object, Listener] = {}

    def publish(self, kind: Kind) -> None:
        """Tells every listener, at once."""
        for listener in tuple(self._listeners.values()):
            try:
                listener(kind)
            except Exception:  # one listener that fails must not keep the news from the others
                logger.exception("a listener raised when it heard of %ss", kind)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tells the listener from now on."""
        token = object()
        self._listeners[token] = listener

        def end() -> None:
            self._listeners.pop(token, None)

        return end
