"""The known name that a wrong one probably means."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

LONGEST = 64
"""Characters of a name that is compared at all."""

MOST = 500
"""Names that one is compared with."""

_WORK = 200_000
"""Pairs of characters that are compared (some 20 milliseconds)."""


def closest(name: str, known: Sequence[str]) -> str | None:
    """The nearest of the known names, or None where none is near; long names are compared with fewer."""
    if len(name) > LONGEST:
        return None
    few = known[: min(MOST, _WORK // (len(name) + 1) ** 2)]
    return next(iter(get_close_matches(name, few, n=1, cutoff=0.6)), None)
