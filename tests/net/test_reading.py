"""The cap bounds what a body takes, whatever it is packed in."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib
from collections.abc import AsyncGenerator

import httpx2
import pytest

from mcpbridge.net.reading import OVERHEAD, TooLarge, read_body

KIB = 1024
TEXT = b'{"a": [1, 2, 3]}' * 50


class Parts(httpx2.AsyncByteStream):
    """A body in parts; `taken` counts them."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = parts
        self.taken = 0

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        for part in self.parts:
            self.taken += 1
            yield part


async def read(coding: str, *parts: bytes, cap: int = 64 * KIB, method: str = "GET", length: str = "") -> bytes:
    headers = [(b"content-encoding", coding.encode()), (b"content-length", length.encode("latin-1"))]
    response = httpx2.Response(200, headers=headers, stream=Parts(*parts))
    response.request = httpx2.Request(method, "https://api.example.com/")
    return await read_body(response, cap)


def zipped(data: bytes) -> bytes:
    """Without the time, so that a test's name is the same in every process."""
    return gzip.compress(data, mtime=0)


def bare(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


def folded(times: int) -> bytes:
    """A little gzip and then nothing but zeros behind its end, packed again and again."""
    data = zipped(TEXT)
    for _ in range(times):
        data = zipped(data + bytes(8 * KIB * KIB))
    return data


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("gzip", zipped(TEXT)),
        ("X-GZip", zipped(TEXT)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", bare(TEXT)),
        ("utf-8, gzip", zipped(TEXT)),
        ("gzip", zipped(TEXT[:9]) + zipped(b"") + zipped(TEXT[9:])),
        ("gzip", zipped(TEXT) + b"\0\0 left over"),
        ("utf-8", TEXT),
        ("identity", TEXT),
        ("", TEXT),
    ],
    ids=["gzip", "x-gzip", "deflate", "bare deflate", "a word", "members", "rest", "utf-8", "identity", "none"],
)
async def test_a_body_is_read_however_it_is_packed_and_cut(coding: str, data: bytes) -> None:
    assert await read(coding, data) == TEXT
    assert await read(coding, *(data[place : place + 1] for place in range(len(data)))) == TEXT
    assert await read(coding, data, cap=len(TEXT)) == TEXT
    with pytest.raises(TooLarge):
        await read(coding, data, cap=len(TEXT) - 1)


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("gzip", b"no gzip"),
        ("gzip", zipped(TEXT)[:-1]),
        ("gzip", zipped(TEXT)[:-5] + b"wrong"),
        ("gzip", zipped(TEXT) + b"\x1f\x8b"),
        ("deflate", b"\xff\xff"),
        ("br", TEXT),
        ("zstd", TEXT),
        ("gzip, gzip", zipped(zipped(TEXT))),
        ("br, gzip", zipped(TEXT)),
    ],
)
async def test_what_can_not_be_read_whole_is_not_read_in_part(coding: str, data: bytes) -> None:
    with pytest.raises(httpx2.DecodingError):
        await read(coding, data)


async def test_no_body_is_no_broken_body() -> None:
    assert await read("gzip") == b""
    assert await read("", method="HEAD", length="999999") == b""


@pytest.mark.req("ATK-27", "REST-07")
@pytest.mark.parametrize(
    ("coding", "parts"),
    [
        ("gzip", (zipped(bytes(64 * KIB * KIB)),)),
        ("deflate", (bare(bytes(64 * KIB * KIB)),)),
        ("gzip, gzip, gzip, gzip", (folded(3),)),
        ("gzip", (zipped(TEXT), *[b"x" * 64 * KIB] * 1000)),
        ("gzip", (zipped(b"") * 3000,) * 1000),
        ("", (b"x" * 64 * KIB,) * 1000),
    ],
    ids=["gzip bomb", "deflate bomb", "folded bomb", "endless rest", "endless members", "endless"],
)
async def test_a_bomb_takes_neither_memory_nor_time(coding: str, parts: tuple[bytes, ...]) -> None:
    tracemalloc.start()
    began = time.perf_counter()
    try:
        with pytest.raises((TooLarge, httpx2.DecodingError)):
            await read(coding, *parts)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 2 * KIB * KIB
    assert time.perf_counter() - began < 5  # milliseconds, but on a busy machine


@pytest.mark.parametrize("length", ["65537", "9" * 18])
async def test_a_length_beyond_the_cap_is_believed_before_anything_is_read(length: str) -> None:
    stream = Parts(b"x")
    response = httpx2.Response(200, headers={"content-length": length}, stream=stream)
    response.request = httpx2.Request("GET", "https://api.example.com/")
    with pytest.raises(TooLarge):
        await read_body(response, 64 * KIB)
    assert not stream.taken


@pytest.mark.parametrize("length", ["9" * 19, "-1", "\xb2", "many", "1"])
async def test_a_length_that_says_nothing_is_passed_over(length: str) -> None:
    assert await read("", TEXT, length=length) == TEXT


async def test_incompressible_data_within_the_cap_is_read() -> None:
    stored = zlib.compressobj(level=0, wbits=31)
    data = stored.compress(bytes(range(256)) * 256) + stored.flush()
    assert len(data) > 64 * KIB
    assert await read("gzip", data) == bytes(range(256)) * 256
    assert len(data) < 64 * KIB + OVERHEAD


@pytest.mark.parametrize("cap", [len(TEXT), len(TEXT) - 1])
async def test_a_body_that_is_whole_already_is_held_to_the_cap_too(cap: int) -> None:
    response = httpx2.Response(200, headers={"content-encoding": "gzip"}, content=zipped(TEXT))
    if cap < len(TEXT):
        with pytest.raises(TooLarge):
            await read_body(response, cap)
    else:
        assert await read_body(response, cap) == TEXT
