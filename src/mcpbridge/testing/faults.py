"""What goes wrong at a fake upstream: values, and the script that says which request meets which of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mcpbridge.errors import ConfigError
from mcpbridge.testing.received import Received, Reply
from mcpbridge.tools import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing that goes wrong; several at once where several members are set.

    latency  seconds of the event loop's clock before anything is answered
    reply    what is answered instead
    dropped  the connection ends after so many bytes of the answer's body; below 0, before any answer
    every    seconds between pieces of the body, of `size` bytes each
    edit     makes another JSON answer of the one that would have been given
    """

    latency: float = 0.0
    reply: Reply | None = None
    dropped: int | None = None
    every: float = 0.0
    size: int = 1
    edit: Callable[[Json], Json] | None = field(default=None)

    def __post_init__(self) -> None:
        if self.latency < 0 or self.every < 0 or self.size < 1:
            raise ConfigError("a Fault needs seconds of 0 or more, and pieces of at least one byte")

    @classmethod
    def slow(cls, seconds: float) -> Fault:
        """The answer comes late."""
        return cls(latency=seconds)

    @classmethod
    def status(cls, status: int, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Fault:
        """An answer of this status, as problem+json where there is no body."""
        plain = Reply(status=status, headers=headers or {}, body=body)
        if body:
            return cls(reply=plain)
        told = Reply.of_problem(status, "A fault that the test asked for")
        return cls(reply=Reply(status=status, headers={**told.headers, **(headers or {})}, body=told.body))

    @classmethod
    def rate_limited(cls, retry_after: float | str) -> Fault:
        """429 with Retry-After, in seconds or as a date (RFC 9110 section 10.2.3)."""
        given = f"{retry_after:g}" if isinstance(retry_after, float) else str(retry_after)
        return cls.status(429, headers={"retry-after": given})

    @classmethod
    def drop(cls, after: int = -1) -> Fault:
        """The connection is reset before any answer, or ends after so many bytes of the body."""
        return cls(dropped=after)

    @classmethod
    def trickle(cls, every: float, size: int = 1) -> Fault:
        """The body comes in pieces."""
        return cls(every=every, size=size)

    @classmethod
    def edited(cls, edit: Callable[[Json], Json]) -> Fault:
        """The JSON that would have been answered, changed; also in a stream of events."""
        return cls(edit=edit)


class Faults:
    """Which request meets which fault: those that were queued once each, then those that stay."""

    def __init__(self) -> None:
        self._next: deque[tuple[str | None, Fault]] = deque()
        self._stay: list[tuple[str | None, Fault]] = []

    def queue(self, on: str | None, *faults: Fault) -> None:
        """One fault for each of the next requests (of this name)."""
        self._next.extend((on, fault) for fault in faults)

    def stay(self, on: str | None, fault: Fault) -> None:
        """A fault for every request (of this name), until `clear`."""
        self._stay.append((on, fault))

    def clear(self) -> None:
        """All is well again."""
        self._next.clear()
        self._stay.clear()

    def take(self, received: Received) -> Fault | None:
        """The fault that this request meets."""
        for entry in self._next:
            if entry[0] in (None, received.name):
                self._next.remove(entry)
                return entry[1]
        return next((fault for on, fault in reversed(self._stay) if on in (None, received.name)), None)
