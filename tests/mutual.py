"""A TLS server that asks for a client's certificate, and an authority of the tests' own."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import trustme

AUTHORITY = trustme.CA()
ROOTS = AUTHORITY.cert_pem.bytes().decode()
ONE = AUTHORITY.issue_cert("client@example.com", common_name="one")
TWO = AUTHORITY.issue_cert("client@example.com", common_name="two")


def cert_of(issued: trustme.LeafCert) -> str:
    return "".join(each.bytes().decode() for each in issued.cert_chain_pems)


def key_of(issued: trustme.LeafCert) -> str:
    return issued.private_key_pem.bytes().decode()


class Server:
    """Says who calls; `/slow` answers when it is let."""

    def __init__(self) -> None:
        self.url = ""
        self.begun = asyncio.Event()
        self.let = asyncio.Event()
        self.open: set[str] = set()
        self.closed = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        subject: Any = writer.get_extra_info("peercert")["subject"]
        who = next(value for part in subject for name, value in part if name == "commonName")
        self.open.add(who)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._answer(await reader.readuntil(b"\r\n\r\n"), who, writer)
        writer.transport.abort()
        async with self.closed:
            self.open.discard(who)
            self.closed.notify_all()

    async def _answer(self, head: bytes, who: str, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(who)}\r\n\r\n".encode())
        if head.startswith(b"GET /slow"):
            await writer.drain()
            self.begun.set()
            await self.let.wait()
        writer.write(who.encode())
        await writer.drain()

    async def until(self, fits: Callable[[set[str]], bool]) -> None:
        """Waits until the clients that are connected fit."""
        async with asyncio.timeout(10), self.closed:
            await self.closed.wait_for(lambda: fits(self.open))


@asynccontextmanager
async def mutual_server() -> AsyncGenerator[Server]:
    """The server on a port of this machine, until the block ends."""
    server, tasks = Server(), set[asyncio.Task[None]]()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.verify_mode = ssl.CERT_REQUIRED
    AUTHORITY.issue_cert("localhost").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] # theirs
    context.load_verify_locations(cadata=ROOTS)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(server.serve(reader, writer)))

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    server.url = f"https://localhost:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listening.wait_closed()
        for _ in range(3):  # an aborted transport closes its socket in the loop's next rounds
            await asyncio.sleep(0)
