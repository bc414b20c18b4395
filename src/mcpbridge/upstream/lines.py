"""Lines of bytes out of pieces of any size, none longer than it may be. Pure but for the reading."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

_FIRST = re.compile(rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,18})\s*,')
_LAST = re.compile(rb'"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(\d{1,18})\s*\}\s*\Z')
_KEPT = 256


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line that was not kept: `id` is the request that it answers, where its first or last bytes tell."""

    id: int | None


async def read_lines(read: Callable[[], Awaitable[bytes]], most: Callable[[], int]) -> AsyncGenerator[bytes | TooLong]:
    """The lines, without their ends, until `read` gives nothing; `most` says how many bytes one may have by now.

    Of a longer one only its first and last bytes are held, and the rest is passed over.
    """
    line = bytearray()
    first = b""
    while part := await read():
        *whole, rest = part.split(b"\n")
        for piece in whole:
            line += piece
            if first or len(line) > most():
                yield TooLong(_id(first or bytes(line[:_KEPT]), bytes(line[-_KEPT:])))
            else:
                yield bytes(line)
            line.clear()
            first = b""
        line += rest
        if first or len(line) > most():
            first = first or bytes(line[:_KEPT])
            del line[:-_KEPT]


def _id(first: bytes, last: bytes) -> int | None:
    """Servers write the id before the result, or as the last of all; between them it would be somebody's data."""
    found = _FIRST.match(first) or _LAST.search(last)
    return int(found[1]) if found else None
