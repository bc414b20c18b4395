"""Lines out of pieces of any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge.upstream.lines import TooLong, read_lines


async def lines_of(pieces: list[bytes], most: int = 1_000_000) -> list[bytes | TooLong]:
    left = [piece for piece in pieces if piece]

    async def read() -> bytes:
        return left.pop(0) if left else b""

    return [line async for line in read_lines(read, lambda: most)]


@given(st.lists(st.binary(max_size=9), max_size=20))
async def test_lines_do_not_depend_on_how_they_are_cut(pieces: list[bytes]) -> None:
    assert await lines_of(pieces) == b"".join(pieces).split(b"\n")[:-1]


@pytest.mark.req("FLT-11")
async def test_half_a_line_at_the_end_is_none() -> None:
    assert await lines_of([b'{"a":1}\n{"b"']) == [b'{"a":1}']


@pytest.mark.req("FLT-11")
@pytest.mark.parametrize(
    ("line", "answers"),
    [
        (b'{"jsonrpc":"2.0","id":7,"result":"' + b"x" * 5000 + b'"}', 7),
        (b'{"result":{"id":3,"x":"' + b"x" * 5000 + b'"},"jsonrpc":"2.0","id":8}', 8),
        (b'{"result":{"id":3,"x":"' + b"x" * 5000 + b'","jsonrpc":"2.0","id":9}}', None),
        (b"x" * 5000, None),
    ],
)
@pytest.mark.parametrize("size", [1, 100, 100_000])
async def test_a_line_that_is_too_long_tells_which_request_it_answers(
    line: bytes, answers: int | None, size: int
) -> None:
    said = line + b"\nnext\n"
    pieces = [said[start : start + size] for start in range(0, len(said), size)]
    assert await lines_of(pieces, most=1000) == [TooLong(answers), b"next"]
