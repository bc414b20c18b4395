"""`RetryBudget`: how much extra load repeating may put on one upstream. Pure: the time is an argument.

When an upstream fails, everybody repeats at once, and what was ill is made worse. So repeats are a share of the calls
of the last seconds, whatever the single call would be allowed.
"""

from __future__ import annotations

from dataclasses import dataclass

_PARTS = 10
"""Parts of the window: what is older than all of them is forgotten a part at a time."""


@dataclass(slots=True)
class _Part:
    number: int = -1
    calls: int = 0
    repeats: int = 0


class RetryBudget:
    """Lets through `share` as many repeats as there were calls within `window` seconds, and always `least` of them.

    Times are seconds of a clock that never goes back.
    """

    __slots__ = ("_least", "_parts", "_share", "_width")

    def __init__(self, *, share: float = 0.2, window: float = 10.0, least: int = 3) -> None:
        self._share = share
        self._least = least
        self._width = window / _PARTS
        self._parts = [_Part() for _ in range(_PARTS)]

    def count(self, now: float) -> None:
        """Takes note of a call."""
        self._part(now).calls += 1

    def spend(self, now: float) -> bool:
        """Whether one more repeat is within the budget; it is taken from it then."""
        part = self._part(now)
        recent = [each for each in self._parts if each.number > part.number - _PARTS]
        allowed = max(self._least, self._share * sum(each.calls for each in recent))
        if sum(each.repeats for each in recent) + 1 > allowed:
            return False
        part.repeats += 1
        return True

    def _part(self, now: float) -> _Part:
        number = int(now / self._width)
        part = self._parts[number % _PARTS]
        if part.number != number:
            part.number, part.calls, part.repeats = number, 0, 0
        return part
