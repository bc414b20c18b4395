"""Opening hours by the clock on the wall of a time zone: whether it is open, and when that changes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from mcpbridge.errors import ConfigError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""As `date.weekday` counts them."""

AHEAD = 15
"""Days in which every change is found: two weeks, since a zone may have skipped a whole day."""

_DAY = 24 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Hours:
    """From `start` to before `end`, which are `HH:MM`, on some days of the week, in an IANA time zone.

    Hours that end before they start go on over midnight, and belong to the day on which they start. `24:00` is the end
    of a day. The clock on the wall decides: an hour that a change of the clock skips is not there, and one that it
    repeats counts twice.

    Raises: ConfigError for a zone, a day or a time that is none, for no days, and where `start` equals `end`.
    """

    zone: str
    days: tuple[str, ...] = DAYS
    start: str = "00:00"
    end: str = "24:00"

    def __post_init__(self) -> None:
        _zone(self.zone)
        if strange := [day for day in self.days if day not in DAYS]:
            raise ConfigError(f"{strange[0]!r} is no day of the week: write one of {', '.join(DAYS)}")
        if not self.days or _minutes(self.start) in (_minutes(self.end), _DAY):
            raise ConfigError(f"hours from {self.start} to {self.end} never open: write 00:00 to 24:00 for a whole day")


def is_open(hours: Sequence[Hours], at: float) -> bool:
    """Whether one of the hours holds at a time, in seconds of the Unix epoch. No hours at all are always open."""
    return not hours or any(_holds(each, at) for each in hours)


def next_edge(hours: Sequence[Hours], at: float) -> float | None:
    """The first time after `at`, in seconds of the Unix epoch, when `is_open` gives another answer.

    None where it gives the same one for the next two weeks.
    """
    now = is_open(hours, at)
    edges = sorted({edge for each in hours for edge in _edges(each, at) if edge > at})
    return next((edge for edge in edges if is_open(hours, edge) is not now), None)


def _holds(hours: Hours, at: float) -> bool:
    wall = datetime.fromtimestamp(at, _zone(hours.zone))
    today, yesterday = (DAYS[(wall.weekday() - back) % 7] in hours.days for back in (0, 1))
    minute, start, end = wall.hour * 60 + wall.minute, _minutes(hours.start), _minutes(hours.end)
    if start < end:
        return today and start <= minute < end
    return (today and start <= minute) or (yesterday and minute < end)


def _edges(hours: Hours, at: float) -> Iterator[float]:
    """Every time at which the hours may start or end: their own, and when the clock of the zone is changed."""
    zone = _zone(hours.zone)
    first = datetime.fromtimestamp(at, zone).date() - timedelta(days=1)
    for ahead in range(AHEAD + 1):
        day = first + timedelta(days=ahead)
        yield from _times(day, (hours.start, hours.end), zone)
        yield from _change(day, zone)


def _times(day: date, texts: Sequence[str], zone: ZoneInfo) -> Iterator[float]:
    for text in texts:
        minutes = _minutes(text)
        wall = datetime.combine(day + timedelta(days=minutes // _DAY), time(minutes % _DAY // 60, minutes % 60), zone)
        yield wall.timestamp()
        yield wall.replace(fold=1).timestamp()  # the second one, where the clock shows it twice


def _change(day: date, zone: ZoneInfo) -> Iterator[float]:
    """When the clock is put forward or back in the 24 hours from the start of a day (UTC), to the second."""
    low = int(datetime.combine(day, time(), UTC).timestamp())
    high = low + _DAY * 60
    before = _offset(low, zone)
    if _offset(high, zone) == before:
        return
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    yield float(high)


def _offset(at: float, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(at, zone).utcoffset()


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such zone; a path that leaves the database; a folder of it
        raise ConfigError(f"{name!r} is no time zone: write its IANA name, such as Europe/Berlin") from None


@lru_cache(maxsize=2048)
def _minutes(text: str) -> int:
    hour, colon, minute = text.partition(":")
    if colon and len(text) == 5 and (hour + minute).isascii() and (hour + minute).isdigit() and int(minute) < 60:
        minutes = int(hour) * 60 + int(minute)
        if minutes <= _DAY:
            return minutes
    raise ConfigError(f"{text!r} is no time of a day: write HH:MM, from 00:00 to 24:00")
