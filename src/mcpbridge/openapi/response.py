"""`read_response`: an HTTP answer to a tool's result; pure.

Every answer gives something that a model can use: JSON as structured content and text, images and audio as such, other
bytes as an embedded resource, text in its charset, an empty answer as a sentence. What is no success is a `Failure`.
Status, Location, Link and Retry-After are kept as data in `_meta`.
"""

from __future__ import annotations

import base64
import codecs
from typing import Any

import httpx2
import mcp_types

from mcpbridge.openapi import media
from mcpbridge.openapi.events import read_events
from mcpbridge.openapi.jsontext import parse_all, parse_json, too_deep
from mcpbridge.openapi.operation import Operation
from mcpbridge.openapi.page import html_excerpt
from mcpbridge.openapi.refusal import failure_for, phrase
from mcpbridge.source.answer import failed
from mcpbridge.tools import Json

HTTP_KEY = "mcpbridge/http"
"""The `_meta` member with `status` and, where sent, `contentType`, `location`, `link`, `retryAfter`, `etag`."""

_UNTOLD = frozenset({"application/octet-stream", "binary/octet-stream", "application/x-download"})
"""Media types of servers that do not know what they send."""

_LAST = "[DONE]"
"""What many streams of JSON end with, that is no JSON."""

_KEPT = {
    "content-type": "contentType",
    "location": "location",
    "link": "link",
    "retry-after": "retryAfter",
    "etag": "etag",
}


def read_response(operation: Operation, response: httpx2.Response) -> mcp_types.CallToolResult:
    """The result of a response whose body is read already. Never raises for what an upstream answered."""
    return read_answer(operation, response.status_code, response.headers, response.content)


def read_answer(
    operation: Operation, status: int, headers: httpx2.Headers, content: bytes, *, now: float | None = None
) -> mcp_types.CallToolResult:
    """The result of an answer in its parts. `content` is decompressed; `now` (seconds of the Unix epoch) stands in for
    a missing Date header where Retry-After is a date.
    """
    meta = {HTTP_KEY: _kept(status, headers)}
    kind = media.essence(headers.get("content-type", ""))
    if not 200 <= status < 300:
        failure = failure_for(operation, status, headers, _error_body(kind, headers, content), now=now)
        result = failed(failure)
        result.meta = {**(result.meta or {}), **meta}
        return result
    if not content or content.isspace():
        return _text(_sentence(operation, status, headers), meta)
    return _read(kind, headers, content, meta)


def _read(kind: str, headers: httpx2.Headers, content: bytes, meta: dict[str, Any]) -> mcp_types.CallToolResult:
    if media.is_json(kind) or not kind or (kind in _UNTOLD and content[:1] in (b"{", b"[")):
        return _json(headers, content, meta)
    if media.is_lines(kind) or kind == "text/event-stream":
        return (_lines if media.is_lines(kind) else _events)(headers, content, meta)
    if kind in {"text/html", "application/xhtml+xml"}:
        return _text(html_excerpt(decode(headers, content)), meta)
    if kind.startswith(("image/", "audio/")) and not media.is_xml(kind):
        return _picture(kind, content, meta)
    if media.is_text(kind):
        return _maybe_json(kind, decode(headers, content), meta)
    return _blob(kind, content, meta)


def _json(headers: httpx2.Headers, content: bytes, meta: dict[str, Any]) -> mcp_types.CallToolResult:
    text = decode(headers, content)
    try:
        value = parse_json(text)
    except ValueError:
        if "\0" in text or "\ufffd" in text:
            return _blob("application/octet-stream", content, meta)
        return _text(html_excerpt(text) if text.lstrip()[:1] == "<" else text, meta)
    return _structured(text, value, meta)


def _maybe_json(kind: str, text: str, meta: dict[str, Any]) -> mcp_types.CallToolResult:
    """JSON that is labelled as plain text or script is read as what it is."""
    if kind in {"text/plain", "text/javascript", "application/javascript"} and text.lstrip()[:1] in {"{", "["}:
        try:
            return _structured(text, parse_json(text), meta)
        except ValueError:
            pass
    return _text(text, meta)


def _lines(headers: httpx2.Headers, content: bytes, meta: dict[str, Any]) -> mcp_types.CallToolResult:
    text = decode(headers, content)
    for records in (text.replace("\x1e", "\n").split("\n"), text.split("\x1e")):
        try:
            return _structured(text, parse_all([record for record in records if record.strip()]), meta)
        except ValueError:
            continue  # a record between marks may have several lines (RFC 7464 section 2.1)
    return _text(text, meta)


def _events(headers: httpx2.Headers, content: bytes, meta: dict[str, Any]) -> mcp_types.CallToolResult:
    """The data of a stream's events, a line each after the event's name; a list too where all of it is JSON."""
    events = read_events(decode(headers, content))
    if not events:
        return _text("the answer is a stream that held no event", meta)
    text = "\n".join(f"{event.name}: {event.data}" if event.name else event.data for event in events)
    told = events[:-1] if events[-1].data == _LAST else events
    try:
        return _structured(text, parse_all([event.data for event in told]), meta)
    except ValueError:
        return _text(text, meta)


def _picture(kind: str, content: bytes, meta: dict[str, Any]) -> mcp_types.CallToolResult:
    data = base64.b64encode(content).decode("ascii")
    block: mcp_types.ContentBlock = (
        mcp_types.ImageContent(data=data, mime_type=kind)
        if kind.startswith("image/")
        else mcp_types.AudioContent(data=data, mime_type=kind)
    )
    return mcp_types.CallToolResult(content=[block], _meta=meta)


def _blob(kind: str, content: bytes, meta: dict[str, Any]) -> mcp_types.CallToolResult:
    """Bytes as an embedded resource, with a line of text for clients that show none."""
    blob = base64.b64encode(content).decode("ascii")
    resource = mcp_types.BlobResourceContents(uri="mcpbridge://answer", mime_type=kind, blob=blob)
    note = mcp_types.TextContent(text=f"{len(content)} bytes of {kind}, attached")
    return mcp_types.CallToolResult(content=[note, mcp_types.EmbeddedResource(resource=resource)], _meta=meta)


def _structured(text: str, value: Json, meta: dict[str, Any]) -> mcp_types.CallToolResult:
    block: list[mcp_types.ContentBlock] = [mcp_types.TextContent(text=text)]
    if too_deep(value):
        return mcp_types.CallToolResult(content=block, _meta=meta)
    return mcp_types.CallToolResult(content=block, structured_content=value, _meta=meta)


def _text(text: str, meta: dict[str, Any]) -> mcp_types.CallToolResult:
    return mcp_types.CallToolResult(content=[mcp_types.TextContent(text=text)], _meta=meta)


def _kept(status: int, headers: httpx2.Headers) -> dict[str, Json]:
    kept: dict[str, Json] = {"status": status}
    for name, key in _KEPT.items():
        if (value := headers.get(name)) is not None:
            kept[key] = value
    return kept


def _sentence(operation: Operation, status: int, headers: httpx2.Headers) -> str:
    """What an empty answer says, such as `201 Created: https://api.example.com/things/9`."""
    told = f"{status} {phrase(status)}"
    if (place := headers.get("location")) is not None:
        return f"{told}: {place}"
    if operation.method.upper() == "HEAD":
        shown = "; ".join(f"{name}: {value}" for name, value in headers.items() if name in _HEAD)
        return f"{told}; {shown}" if shown else f"{told}: it exists"
    return f"{told}: done, the answer has no content"


_HEAD = {"content-type", "content-length", "last-modified", "etag", "accept-ranges", "allow"}


def decode(headers: httpx2.Headers, content: bytes) -> str:
    """The text in its declared charset, else UTF-8 (a byte order mark counts), with U+FFFD for what can't be read."""
    charset = media.charset(headers.get("content-type", ""), "utf-8") or "utf-8"
    if content[:3] == codecs.BOM_UTF8:
        charset = "utf-8-sig"
    elif content[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        charset = "utf-16"
    try:
        return content.decode(charset, "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def _error_body(kind: str, headers: httpx2.Headers, content: bytes) -> Json:
    """An error's body as a value: JSON where it is such, else text (an HTML page as its words), else None."""
    if not content or kind.startswith(("image/", "audio/", "video/")) or kind == "application/octet-stream":
        return None
    text = decode(headers, content)
    if kind in {"text/html", "application/xhtml+xml"}:
        return html_excerpt(text)
    try:
        value = parse_json(text)
    except ValueError:
        return text
    return text if too_deep(value) else value
