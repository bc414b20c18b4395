"""Many calls at once, on kept connections of bare asyncio: what is measured is the server."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from benchmarks.wire import META, MODERN

WAYS = 64


def rate(port: int, name: str, arguments: dict[str, Any], *, seconds: float, path: str = "/mcp") -> float:
    """Calls a second of one tool, over 64 connections that each wait for one answer before the next call."""
    return asyncio.run(_rate(port, _request(name, arguments, path), seconds))


async def _rate(port: int, request: bytes, seconds: float) -> float:
    begin = time.perf_counter()
    counts = await asyncio.gather(*(_keep_calling(port, request, begin + seconds) for _ in range(WAYS)))
    return sum(counts) / (time.perf_counter() - begin)


async def _keep_calling(port: int, request: bytes, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while time.perf_counter() < until:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = next(int(line[15:]) for line in head.splitlines() if line.startswith(b"content-length:"))
        body = await reader.readexactly(length)
        if not head.startswith(b"http/1.1 200") or b'"isError":true' in body:
            raise RuntimeError(f"port {port}: {head[:60]!r} {body[:300]!r}")
        count += 1
    writer.close()
    await writer.wait_closed()
    return count


def _request(name: str, arguments: dict[str, Any], path: str) -> bytes:
    params = {"name": name, "arguments": arguments, "_meta": META}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    head = "\r\n".join([
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        f"MCP-Protocol-Version: {MODERN}",
        "Mcp-Method: tools/call",
        f"Mcp-Name: {name}",
        f"Content-Length: {len(body)}",
    ])  # fmt: skip
    return head.encode() + b"\r\n\r\n" + body
