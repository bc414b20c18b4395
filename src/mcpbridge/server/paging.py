"""Listings in pages, with cursors that survive a listing that changes.

Items are ordered by key, and a cursor holds the last key that was given: the next page is whatever sorts after it. So
nothing is given twice or left out because something else was added or removed in between.
"""

from __future__ import annotations

import base64
import json
from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeVar

from mcpbridge.tools import Item, Kind

PAGE = 500
"""Items in a page."""

_I = TypeVar("_I", bound=Item)


class BadCursor(ValueError):
    """A cursor that this server never gave for this listing."""


def page_of(
    items: Sequence[_I], kind: Kind, cursor: str | None, *, size: int = PAGE
) -> tuple[Sequence[_I], str | None]:
    """One page in the order of keys, and the cursor of the next one, None after the last.

    Raises: BadCursor.
    """
    ordered = sorted(items, key=_key)
    start = 0 if cursor is None else bisect_right(ordered, _last_key(cursor, kind), key=_key)
    page = ordered[start : start + size]
    more = start + size < len(ordered)
    return page, _cursor(kind, page[-1].key) if more else None


def _key(item: Item) -> str:
    return item.key


def _cursor(kind: Kind, key: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([kind, key]).encode()).decode().rstrip("=")


def _last_key(cursor: str, kind: Kind) -> str:
    try:
        shown = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError) as error:
        raise BadCursor(cursor) from error
    match shown:
        case [found, str(key)] if found == kind:
            return key
        case _:
            raise BadCursor(cursor)
