"""Times as text, in the ways that APIs sign them. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Literal, TypeAlias

TimeFormat: TypeAlias = Literal["seconds", "milliseconds", "iso8601", "http"]
"""Of the Unix epoch; `2026-01-31T09:30:00Z`; `Sat, 31 Jan 2026 09:30:00 GMT` (RFC 9110 section 5.6.7)."""


def _moment(now: float) -> datetime:
    return datetime.fromtimestamp(int(now), UTC)


_WRITTEN: Mapping[TimeFormat, Callable[[float], str]] = {
    "seconds": lambda now: str(int(now)),
    "milliseconds": lambda now: str(int(now * 1000)),
    "iso8601": lambda now: _moment(now).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "http": lambda now: format_datetime(_moment(now), usegmt=True),
}

_READ: Mapping[TimeFormat, Callable[[str], float]] = {
    "seconds": float,
    "milliseconds": lambda text: float(text) / 1000,
    "iso8601": lambda text: datetime.fromisoformat(text).astimezone(UTC).timestamp(),
    "http": lambda text: parsedate_to_datetime(text).astimezone(UTC).timestamp(),
}

FORMATS = tuple(_WRITTEN)


def written_time(now: float, format: TimeFormat) -> str:
    """The text of a time in seconds of the Unix epoch."""
    return _WRITTEN[format](now)


def read_time(text: str, format: TimeFormat) -> float:
    """Seconds of the Unix epoch. Raises: ValueError."""
    try:
        time = _READ[format](text)
    except OverflowError as error:
        raise ValueError("out of range") from error
    if not math.isfinite(time):
        raise ValueError("not finite")
    return time
