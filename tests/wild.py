"""Upstreams that misbehave, on raw sockets of loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def wild_server(
    behave: Behave, *, context: ssl.SSLContext | None = None, until: bytes = b"\r\n\r\n"
) -> AsyncGenerator[str]:
    """A server that reads a request's head and then does what `behave` does; gives its base URL."""
    tasks: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await reader.readuntil(until)
                await behave(reader, writer)
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.ensure_future(serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    try:
        yield f"http{'s' if context else ''}://localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
        for _ in range(3):  # an aborted transport closes its socket in the loop's next rounds
            await asyncio.sleep(0)


def says(head: str, *chunks: bytes, every: float = 0.0) -> Behave:
    """Sends a head, then the chunks, one `every` so many seconds, then closes."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{head}\r\n\r\n".replace("\n", "\r\n").replace("\r\r", "\r").encode())
        for chunk in chunks:
            await writer.drain()
            await asyncio.sleep(every)
            writer.write(chunk)
        await writer.drain()

    return behave


def endless(head: str, chunk: bytes, *, every: float = 0.0) -> Behave:
    """Sends a head, then the chunk for ever."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        while not writer.is_closing():
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(every)

    return behave


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the request and never answers."""
    await reader.read()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Resets the connection once the request is there."""
    writer.transport.abort()
