"""Names that a provider takes: legal, short enough, different, and the same each time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Iterator

MARK = 8
"""How many characters of a digest make a changed name different."""


def legal_name(name: str, pattern: re.Pattern[str], length: int, taken: Container[str]) -> str:
    """The name itself where it is legal and free, else one made of it and of its digest."""
    if pattern.fullmatch(name) and len(name) <= length and name not in taken:
        return name
    plain = re.sub(r"[^a-zA-Z0-9_]+", "_", name).strip("_")
    plain = plain if re.match(r"[a-zA-Z_]", plain) else f"_{plain}"
    tries = (f"{plain[: length - len(mark)]}{mark}" for mark in _marks(name, plain == name))
    return next(each for each in tries if len(each) <= length and each not in taken)


def _marks(name: str, same: bool) -> Iterator[str]:  # noqa: FBT001 - two words of one line
    if not same:
        yield ""
    yield from (f"_{_digest(f'{name}{number or str()}')}" for number in range(1_000_000))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:MARK]
