"""Connections of asyncio, as httpcore2 wants them: resolved once, checked, and connected to what was checked.

The name is resolved here and nowhere else, so that no second answer of a name server can lead elsewhere. TLS, SNI and
the `Host` header go on with the name, above. Without this, httpcore2 would use anyio's, which cost a third of a call.
"""

from __future__ import annotations

import asyncio
import ipaddress
import select
import socket
import ssl
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import httpcore2

from mcpbridge.net.address import Address
from mcpbridge.net.guard import Guard

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, as text. Raises: OSError."""

STAGGER = 0.25
"""Seconds that one address may take before the next is tried beside it (RFC 8305 section 5)."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses that the system knows of a host, in its order."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class Network(httpcore2.AsyncNetworkBackend):
    """Opens connections where the guard lets them go."""

    def __init__(self, guard: Guard, resolve: Resolve = resolve) -> None:
        self._guard = guard
        self._resolve = resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        with _told(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            async with asyncio.timeout(timeout):
                addresses = await self._resolve(host, port)
                self._guard.check(host, [_parsed(address) for address in addresses])
                reader, writer = await _first(addresses, port)
        return Stream(reader, writer)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        raise httpcore2.UnsupportedProtocol("no upstream is reached over a Unix socket; pass a transport that does")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Stream(httpcore2.AsyncNetworkStream):
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _told(httpcore2.ReadTimeout, httpcore2.ReadError):
            if timeout is None:
                return await self._reader.read(max_bytes)
            async with asyncio.timeout(timeout):
                return await self._reader.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:  # the end of a request without a body
            return
        with _told(httpcore2.WriteTimeout, httpcore2.WriteError):
            self._writer.write(buffer)
            if timeout is None:
                await self._writer.drain()
                return
            async with asyncio.timeout(timeout):
                await self._writer.drain()

    async def aclose(self) -> None:
        self._writer.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        try:
            with _told(httpcore2.ConnectTimeout, httpcore2.ConnectError):
                async with asyncio.timeout(timeout):
                    await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except BaseException:
            self._writer.transport.abort()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # asked of an idle connection: whatever comes now can only be its end
            return self._reader.at_eof() or self._writer.is_closing() or _has_news(self._writer)
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._writer.get_extra_info(names.get(info, info))


def _parsed(address: str) -> Address:
    return ipaddress.ip_address(address.partition("%")[0])


async def _first(addresses: Sequence[str], port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The first connection that stands, each address begun a moment after the one before it (RFC 8305)."""
    if len(addresses) == 1:
        return await asyncio.open_connection(addresses[0], port)
    failed: list[OSError] = []
    running: set[asyncio.Task[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = set()
    waiting = [*addresses]
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.ensure_future(asyncio.open_connection(waiting.pop(0), port)))
            done, running = await asyncio.wait(
                running, timeout=STAGGER if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                error = task.exception()
                if error is None:
                    return task.result()
                if not isinstance(error, OSError):
                    raise error
                failed.append(error)
    finally:
        await _ended(running)
    raise failed[-1] if failed else OSError("the host name has no address")


async def _ended(tasks: set[asyncio.Task[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]) -> None:
    for task in tasks:
        task.cancel()
    for opened in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(opened, BaseException):
            opened[1].close()


def _has_news(writer: asyncio.StreamWriter) -> bool:
    """Whether the socket has something that the loop did not read yet."""
    connection = writer.get_extra_info("socket")
    number = -1 if connection is None else connection.fileno()
    if number < 0:
        return True
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def _told(late: type[Exception], broken: type[Exception]) -> Generator[None]:
    """What asyncio raises, in httpcore2's words."""
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except (OSError, EOFError) as error:  # ssl.SSLError is an OSError
        raise broken(str(error)) from error
