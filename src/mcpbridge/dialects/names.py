"""Names that a provider takes: legal, short enough, different, and the same each time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container
from itertools import count

MARK = 8
"""How many characters of a digest make a changed name different."""


def legal_name(name: str, pattern: re.Pattern[str], length: int, taken: Container[str]) -> str:
    """The name itself where it is legal and free, else one made of it and of its digest."""
    if pattern.fullmatch(name) and len(name) <= length and name not in taken:
        return name
    plain = re.sub(r"[^a-zA-Z0-9_]+", "_", name).strip("_")
    plain = plain if re.match(r"[a-zA-Z_]", plain) else f"_{plain}"
    if plain not in taken and name not in (plain, "") and len(plain) <= length:
        return plain
    marks = (f"_{_digest(name + ' ' * number)}" for number in count())
    return next(each for mark in marks if (each := f"{plain[: length - len(mark)]}{mark}") not in taken)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:MARK]
