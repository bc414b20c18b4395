"""A gateway before a real HTTP server that keeps every byte it is sent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from mcpbridge.build import guarded
from mcpbridge.errors import Failure, InvalidArguments
from mcpbridge.net.limits import Limits
from mcpbridge.policy import Allow
from mcpbridge.rest import RestSource
from mcpbridge.source.answer import error_of
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import Call
from wild import Behave, wild_server

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Tap:
    """What arrived, request by request: heads as text of Latin-1, bodies as bytes."""

    def __init__(self, answer: bytes = ANSWER) -> None:
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = re.search(r"(?im)^content-length: (\d+)", head)
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(int(length[1])) if length else b"")
                writer.write(self._answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @property
    def target(self) -> str:
        """The target of the last request's line."""
        return self.heads[-1].split(" ", 2)[1]

    def header(self, name: str) -> list[str]:
        """The values of the last request's header."""
        return re.findall(rf"(?im)^{re.escape(name)}: (.*?)\r$", self.heads[-1])


def describe(path: str, parameters: list[dict[str, Any]], body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A description of one operation, `attack`, that writes."""
    operation: dict[str, Any] = {
        "operationId": "attack",
        "parameters": [{"required": each["in"] == "path", "schema": {"type": "string"}} | each for each in parameters],
        "responses": {"200": {"description": "done"}},
    }
    if body is not None:
        operation["requestBody"] = {"content": body}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {path: {"post": operation}}}


@asynccontextmanager
async def tapped(
    description: Mapping[str, Any], tap: Tap, *, auth: httpx2.Auth | None = None, **more: Any
) -> AsyncGenerator[ToolSource]:
    """The description's tools, called for real, behind all wrappers."""
    server = await asyncio.start_server(tap.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    source = RestSource.from_openapi(description, base_url=url, auth=auth, **more)
    try:
        async with guarded(source, policy=lambda _call, _tool: Allow()) as gateway:
            yield gateway
    finally:
        server.close()
        await server.wait_closed()


async def attack(source: ToolSource, arguments: Mapping[str, Any]) -> Answer | None:
    """The answer, or None where the arguments were refused before anything was sent."""
    try:
        return await source.call(Call(name="attack", arguments=arguments))
    except InvalidArguments:
        return None


@asynccontextmanager
async def answering(behave: Behave, *, auth: httpx2.Auth | None = None, **limits: Any) -> AsyncGenerator[ToolSource]:
    """A gateway before a server that answers as it likes."""
    read = {"operationId": "attack", "responses": {"200": {"description": "done"}}}
    description = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/x": {"get": read}}}
    async with wild_server(behave) as url:
        source = RestSource.from_openapi(description, base_url=url, auth=auth, limits=Limits(**limits))
        async with guarded(source, retry=None) as gateway:
            yield gateway


async def met(behave: Behave, *, auth: httpx2.Auth | None = None, **limits: Any) -> tuple[Answer, Failure | None]:
    """The answer of a call to such a server, and its failure."""
    async with answering(behave, auth=auth, **limits) as source:
        answer = await source.call(Call(name="attack"))
        return answer, error_of(answer)
