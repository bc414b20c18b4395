"""`Limits`: every bound of the outside world in one value."""

from __future__ import annotations

from dataclasses import dataclass, fields

from mcpbridge.errors import ConfigError

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a source may take. Times are seconds, sizes are bytes.

    deadline    a whole call: connecting, sending, waiting, reading, redirects
    connect     one connection, its TLS handshake included, and the wait for a free one
    answer      an answer's body, decompressed
    description, operations, parse   a description's size, how many operations it may hold, and the time to read it
    page        items in one page of a listing
    calls       under way at once to one upstream; a further one waits `turn` for a place, within its deadline
    connections open at once to one upstream, and `idle` of them kept for the next call
    approval    how long a question for a person stays open
    stderr      what is kept of a child process's error output

    Raises: ConfigError for a limit that is not positive.
    """

    deadline: float = 30.0
    connect: float = 10.0
    answer: int = 1 * MIB
    description: int = 64 * MIB
    operations: int = 20_000
    parse: float = 20.0
    page: int = 500
    calls: int = 100
    turn: float = 5.0
    connections: int = 100
    idle: int = 10
    approval: float = 600.0
    stderr: int = 64 * KIB

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise ConfigError(f"Limits({field.name}={value!r}) must be a number above 0")
