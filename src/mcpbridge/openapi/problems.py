"""What was found wrong while a description was read, and what was done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from mcpbridge.errors import DescriptionError

Severity: TypeAlias = Literal["error", "warning", "note"]
"""`error`: a part is lost; `warning`: it was repaired, maybe to mean something else; `note`: read as all tools do."""

Trail: TypeAlias = "tuple[Any, str | int] | None"
"""Where a node stands: (trail of its parent, its key); None for the entry's root. Made for all, rendered for few."""


class File(str):
    """The first key of a trail into another file than the entry: its address."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong in a description.

    `pointer` is a JSON pointer (RFC 6901), after `FILE#` where it leads into another file; `line` counts from 1 and
    is None where it is not known. `repair` says what was done about it.
    """

    pointer: str
    severity: Severity
    message: str
    repair: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.pointer or '/'}" + (f" (line {self.line})" if self.line else "")
        return f"{self.severity}: {place}: {self.message}" + (f"; {self.repair}" if self.repair else "")


def pointer_of(trail: Trail) -> str:
    """The JSON pointer of a trail, with the file in front where it is not the entry."""
    keys: list[str | int] = []
    while trail is not None:
        trail, key = trail
        keys.append(key)
    keys.reverse()
    prefix = ""
    if keys and isinstance(keys[0], File):
        prefix = f"{keys.pop(0)}#"
    return prefix + "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


class Problems:
    """Collects problems, each message of a place once. `strict` raises for the first of severity `error`."""

    __slots__ = ("_seen", "found", "strict")

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.found: list[Problem] = []
        self._seen: set[tuple[str, str]] = set()

    def add(self, severity: Severity, trail: Trail, message: str, repair: str = "") -> None:
        """Notes a problem. Raises: DescriptionError for an error, where that was asked for."""
        pointer = pointer_of(trail)
        if (pointer, message) in self._seen:
            return
        self._seen.add((pointer, message))
        self.found.append(Problem(pointer=pointer, severity=severity, message=message, repair=repair))
        if self.strict and severity == "error":
            raise DescriptionError(message, pointer=pointer)
