"""Multipart bodies (RFC 7578, RFC 2046 section 5.1): one part a member, one part an item of a list.

A member marked binary is a file part: base64, or a `data:` URL (RFC 2397) where the file's media type and name are
known, such as `data:image/png;name=cat.png;base64,iVBO…`. A path is never opened. Objects are JSON parts. The
boundary is a digest of the parts, so that the same arguments give the same bytes, and no value can hold it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, unquote_to_bytes

from mcpbridge.openapi import media
from mcpbridge.openapi.content import Content, decoded, utf8
from mcpbridge.openapi.headers import TOKEN
from mcpbridge.openapi.jsontext import is_container, is_list
from mcpbridge.openapi.markup import part_text
from mcpbridge.openapi.operation import Body, Encoding
from mcpbridge.openapi.plaintext import Unfit, checked_header, json_text, named, text_of
from mcpbridge.tools import Json

_PLAIN = Encoding()
_DATA_URL = re.compile(r"data:([^,;]*)((?:;[^,]*)?),", re.IGNORECASE)


def multipart(body: Body, members: Mapping[str, Json]) -> Content:
    """The Content-Type with its boundary, and the bytes. Null members are left out. Raises: Unfit."""
    parts = [
        part
        for name, value in members.items()
        for item in (value if is_list(value) else (value,))
        if item is not None
        for part in _part(name, item, body.encoding.get(name, _PLAIN))
    ]
    boundary = hashlib.blake2b(b"\0".join(parts), digest_size=20).hexdigest()
    mark = f"--{boundary}".encode()
    data = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
    return Content(media=f"{media.essence(body.media)}; boundary={boundary}", data=data)


def _part(name: str, value: Json, encoding: Encoding) -> Iterator[bytes]:
    filename, kind, data = _content(name, value, encoding)
    disposition = f'form-data; name="{_quoted(name)}"'
    if filename is not None:
        disposition += f'; filename="{_quoted(filename)}"'
    lines = [f"Content-Disposition: {disposition}"]
    if kind is not None:
        lines.append(f"Content-Type: {checked_header(kind)}")
    lines += [f"{_token(header)}: {checked_header(text)}" for header, text in encoding.headers.items()]
    yield utf8("\r\n".join(lines)) + b"\r\n\r\n" + data


def _token(name: str) -> str:
    if TOKEN.fullmatch(name) is None:
        raise Unfit("a description whose part headers have names that MIME allows", named(name))
    return name


def _content(name: str, value: Json, encoding: Encoding) -> tuple[str | None, str | None, bytes]:
    """A part's file name, Content-Type and bytes; a text part has neither of the first two."""
    declared = _single(encoding.media)
    if encoding.binary is not None:
        return _file(name, value, encoding, declared)
    if (text := part_text(encoding, name, value)) is not None:
        return None, declared, utf8(text)
    if is_container(value) or media.is_json(media.essence(declared or "")):
        kind = declared if media.is_json(media.essence(declared or "")) else "application/json"
        return None, kind, json_text(value).encode()
    return None, declared, utf8(text_of(value))


def _file(name: str, value: Json, encoding: Encoding, declared: str | None) -> tuple[str, str, bytes]:
    if not isinstance(value, str):
        raise Unfit("a file as base64 text" if encoding.binary == "base64" else "a file as text", named(value))
    url = _DATA_URL.match(value)
    if encoding.binary == "text" or url is None:
        kind = declared or ("application/octet-stream" if encoding.binary == "base64" else "text/plain; charset=utf-8")
        return safe_filename(name), kind, decoded(value, encoding.binary or "base64")
    options = url[2]
    kind = declared or (url[1] if "/" in url[1] else "application/octet-stream")
    given = media.parameter(f"x{options}", "name") or media.parameter(f"x{options}", "filename")
    data = value[url.end() :]
    is_base64 = ";base64" in options.lower()
    return safe_filename(unquote(given or name)), kind, decoded(data, "base64") if is_base64 else unquote_to_bytes(data)


def safe_filename(name: str) -> str:
    """The last path segment of a name, without control characters and leading dots; `file` where nothing is left."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(character for character in last if character.isprintable()).lstrip(". ")[:100] or "file"


def _single(declared: str | None) -> str | None:
    """The one media type that an encoding names, or None where it names several or a range."""
    return None if declared is None or "," in declared or "*" in declared else declared


def _quoted(text: str) -> str:
    """Inside the quotes of Content-Disposition, as browsers write it (HTML section 4.10.21.8)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").replace("\0", "%00")
