"""Patterns of names, in which `*` stands for any characters and everything else for itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Names:
    """Whether a name fits one of some patterns: `name in names`. Upper and lower case differ, as they do in a call.

    A hostile pattern costs no more than its length times the name's: nothing is tried twice.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        given = frozenset(patterns)
        self._wild = tuple(pattern.split("*") for pattern in sorted(given) if "*" in pattern)
        self._exact = frozenset(pattern for pattern in given if "*" not in pattern)

    def __contains__(self, name: str) -> bool:
        return name in self._exact or any(_fits(name, parts) for parts in self._wild)

    def __bool__(self) -> bool:
        return bool(self._exact or self._wild)


def _fits(name: str, parts: Sequence[str]) -> bool:
    """Whether the name has these parts in this order: the first at its start, the last at its end."""
    first, *middle, last = parts
    if not name.startswith(first):
        return False
    at = len(first)
    for part in middle:
        found = name.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(name) - at >= len(last) and name.endswith(last)
