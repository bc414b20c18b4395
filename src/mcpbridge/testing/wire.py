"""Requests and answers of a fake upstream on the wire (ASGI 3): read, answered, spoilt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Final, cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcpbridge.testing.faults import Fault
from mcpbridge.testing.received import Received, Reply
from mcpbridge.tools import Json

ABORT: Final = "mcpbridge.abort"
"""The ASGI extension by which a connection is reset: a function without arguments."""


async def read_request(scope: Scope, receive: Receive) -> Received:
    """The whole request."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    raw = scope.get("raw_path") or scope["path"].encode()
    return Received(
        method=scope["method"],
        path=raw.partition(b"?")[0].decode("latin-1"),
        query=scope.get("query_string", b"").decode("latin-1"),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )


def replayed(received: Received, receive: Receive) -> Receive:
    """A `receive` that gives the request's body again, and then what else comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": received.body, "more_body": False}

    return again


async def send_reply(reply: Reply, send: Send) -> None:
    """Sends an answer."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def replying(reply: Reply) -> ASGIApp:
    """An application that answers this."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send_reply(reply, send)

    return app


async def spoilt(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """What the application answers, as the fault has it."""
    if fault.latency:
        await asyncio.sleep(fault.latency)
    if fault.dropped is not None and fault.dropped < 0:
        await _abort(scope, receive)
        return
    if fault.reply is not None:
        app = replying(fault.reply)
    if fault.dropped is None and not fault.every and fault.edit is None:
        await app(scope, receive, send)
        return
    start, body = await _whole(app, scope, receive)
    if fault.edit is not None:
        start, body = _edited(start, body, fault.edit)
    await send(start)
    cut = len(body) if fault.dropped is None else min(fault.dropped, len(body))
    pieces = [body[at : min(at + fault.size, cut)] for at in range(0, cut, fault.size)] if fault.every else [body[:cut]]
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(fault.every)
    if fault.dropped is None:
        await send({"type": "http.response.body", "body": b""})
    else:
        await _abort(scope, receive)


async def _abort(scope: Scope, receive: Receive) -> None:
    """Resets the connection, and waits until that is known here."""
    abort = cast("Callable[[], None]", scope.get("extensions", {})[ABORT])
    abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _whole(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    start = next(message for message in messages if message["type"] == "http.response.start")
    return start, b"".join(message.get("body", b"") for message in messages)


def _edited(start: Message, body: bytes, edit: Callable[[Json], Json]) -> tuple[Message, bytes]:
    headers: Sequence[tuple[bytes, bytes]] = start["headers"]
    kind = next((value for name, value in headers if name.lower() == b"content-type"), b"")
    if kind.startswith(b"text/event-stream"):
        lines = [_edited_line(line, edit) for line in body.split(b"\n")]
        body = b"\n".join(lines)
    else:
        body = json.dumps(edit(json.loads(body))).encode()
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    return {**start, "headers": kept}, body


def _edited_line(line: bytes, edit: Callable[[Json], Json]) -> bytes:
    data = line.removeprefix(b"data:").strip()
    if not line.startswith(b"data:") or not data.startswith(b"{"):
        return line
    return b"data: " + json.dumps(edit(json.loads(data))).encode()
