"""An answer's body, decompressed by ourselves, so that the cap bounds what it takes.

httpx2's decoders hand out pieces of a bounded size, but what stands between two codings, or behind the end of the
compressed data, is counted by nobody: seven kilobytes of gzip in gzip in gzip held a process up for minutes. Here one
coding is taken, its output is never more than the cap, and what comes in is counted as well.
"""

from __future__ import annotations

import zlib
from contextlib import aclosing

import httpx2

OVERHEAD = 64 * 1024
"""Bytes that compressed data may have more than the cap on what is in it."""

CODINGS = "gzip, deflate"
"""What we ask for (RFC 9110 section 8.4.1) and can read."""

_ZLIB_OR_GZIP, _BARE = 47, -15
_READ = frozenset({"gzip", "x-gzip", "deflate"})
_UNREAD = frozenset({"br", "zstd", "compress", "x-compress"})
_GZIP = 0x1F


class TooLarge(Exception):
    """The body passed the cap."""


async def read_body(response: httpx2.Response, cap: int) -> bytes:
    """The body, decompressed, of at most `cap` bytes; a word that names no coding is passed over.

    Raises: TooLarge as soon as it must be larger; httpx2.DecodingError for data that is broken or cut off, for a
    coding that we did not ask for, and for several one upon another.
    """
    if response.is_stream_consumed:  # a transport in this process gave it whole, and decompressed
        return _within(response.content, cap)
    inflated = _inflated(response.headers)
    if inflated is None and _declared(response) > cap:
        raise TooLarge
    body = bytearray()
    received = 0
    async with aclosing(response.aiter_raw()) as parts:
        async for part in parts:
            received += len(part)
            if received > cap + OVERHEAD:
                raise TooLarge
            body += part if inflated is None else inflated.read(part, cap - len(body))
            if len(body) > cap:
                raise TooLarge
    if inflated is not None and received and not inflated.ended:
        raise httpx2.DecodingError("the compressed data is cut off")
    return bytes(body)


class _Inflated:
    """Reads compressed data, and nothing behind its end but further members of gzip (RFC 1952 section 2.2).

    `deflate` is zlib's format (RFC 9110 section 8.4.1.2), or what some servers send: the bare stream.
    """

    def __init__(self) -> None:
        self._engine = zlib.decompressobj(_ZLIB_OR_GZIP)
        self._begun = False

    @property
    def ended(self) -> bool:
        """Whether the data came to its end."""
        return self._engine.eof

    def read(self, part: bytes, room: int) -> bytes:
        """What the next part holds. Raises: TooLarge beyond `room` bytes; httpx2.DecodingError."""
        read = b""
        try:
            while part and self._goes_on(part):
                read += self._engine.decompress(part, room - len(read) + 1)
                if len(read) > room:
                    raise TooLarge
                part = self._engine.unused_data
        except zlib.error as error:
            raise httpx2.DecodingError(str(error)) from error
        return read

    def _goes_on(self, part: bytes) -> bool:
        if not self._begun:
            self._begun = True
            if part[0] != _GZIP and part[0] & 0x0F != zlib.DEFLATED:  # no header of zlib's (RFC 1950 section 2.2)
                self._engine = zlib.decompressobj(_BARE)
        elif self._engine.eof:
            if part[0] != _GZIP:
                return False
            self._engine = zlib.decompressobj(_ZLIB_OR_GZIP)
        return True


def _inflated(headers: httpx2.Headers) -> _Inflated | None:
    """What reads the body's coding; None where it has none."""
    words = [word.strip().lower() for word in headers.get("content-encoding", "").split(",")]
    codings = [word for word in words if word in _READ | _UNREAD]
    if not codings:
        return None
    if len(codings) > 1 or codings[0] in _UNREAD:
        raise httpx2.DecodingError(f"we asked for {CODINGS}, not for {', '.join(codings)}")
    return _Inflated()


def _declared(response: httpx2.Response) -> int:
    """The body's length where it is told, else 0; the answer to HEAD has none, whatever it tells (RFC 9110 9.3.2)."""
    text = response.headers.get("content-length", "")
    told = text.isascii() and text.isdigit() and len(text) < 19
    return int(text) if told and response.request.method != "HEAD" else 0


def _within(content: bytes, cap: int) -> bytes:
    if len(content) > cap:
        raise TooLarge
    return content
