"""Streams of server-sent events on their way to the SDK: no event larger than the cap, and no exception in them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable

import httpx2

from mcpbridge.errors import Failure
from mcpbridge.net.failures import lost
from mcpbridge.upstream.carried import error_with

_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")


class Events(httpx2.AsyncByteStream):
    """The body of a response, whole events at a time. What goes wrong is its last event: an error with our failure.

    An event above `most` bytes ends it with `over`. A stream that breaks off can be taken up again by the SDK where
    the server gave its events ids (2025-11-25, transports, resumability); then the exception is left to it.
    """

    def __init__(
        self, response: httpx2.Response, place: str, *, most: int, over: Failure, clean: Callable[[bytes], bytes]
    ) -> None:
        self._response = response
        self._place = place
        self._most = most
        self._over = over
        self._clean = clean

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        held = bytearray()
        resumable = False
        try:
            async for part in self._response.aiter_bytes():
                seen = max(0, len(held) - 3)
                held += part
                end = max(held.rfind(mark, seen) + len(mark) if mark in held[seen:] else 0 for mark in _ENDS)
                if end:
                    given = self._clean(bytes(held[:end]))
                    resumable = resumable or given.startswith(b"id:") or b"\nid:" in given
                    yield given
                    del held[:end]
                if len(held) > self._most:
                    yield told(self._over)
                    return
        except httpx2.HTTPError as error:
            if resumable:
                raise
            yield b"\n\n" + told(lost(error, self._place, status=None, left=True))
            return
        yield bytes(held)

    async def aclose(self) -> None:
        await self._response.aclose()


def told(failure: Failure) -> bytes:
    """The event that carries a failure, as the answer to whatever the stream belongs to."""
    error = error_with(failure).model_dump(mode="json")
    message = json.dumps({"jsonrpc": "2.0", "id": None, "error": error})
    return f"event: message\ndata: {message}\n\n".encode()
