"""Pages by key, and cursors that say where a page ended."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge.server.paging import BadCursor, page_of
from mcpbridge.tools import Tool


def _walk(names: list[str], size: int) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page, cursor = page_of([Tool(name=name) for name in names], "tool", cursor, size=size)
        found += [tool.name for tool in page]
        if cursor is None:
            return found


@pytest.mark.req("GW-03")
@given(st.lists(st.text(max_size=5), unique=True, max_size=30), st.integers(1, 7))
def test_a_walk_gives_every_item_once_in_one_order(names: list[str], size: int) -> None:
    assert _walk(names, size) == _walk([*reversed(names)], size) == sorted(names)


def test_the_last_page_has_no_cursor() -> None:
    assert page_of([Tool(name="a"), Tool(name="b")], "tool", None, size=2)[1] is None


def test_an_empty_listing_is_one_empty_page() -> None:
    assert page_of([], "tool", None) == ([], None)


@given(st.text(max_size=40))
def test_no_cursor_of_a_stranger_is_taken_or_breaks_anything(cursor: str) -> None:
    with pytest.raises(BadCursor):
        page_of([Tool(name="a")], "tool", cursor)


def test_a_cursor_of_another_listing_is_refused() -> None:
    _, cursor = page_of([Tool(name="a"), Tool(name="b")], "prompt", None, size=1)
    with pytest.raises(BadCursor):
        page_of([Tool(name="a")], "tool", cursor)
