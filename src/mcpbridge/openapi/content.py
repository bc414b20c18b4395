"""A written body, and the bytes that an argument means."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from mcpbridge.openapi.operation import Binary
from mcpbridge.openapi.plaintext import Unfit, named
from mcpbridge.tools import Json

_URL_SAFE = str.maketrans("-_", "+/")


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """A written body and the Content-Type that goes with it."""

    media: str
    data: bytes


def decoded(value: Json, binary: Binary) -> bytes:
    """The bytes of base64 (RFC 4648, both alphabets, with or without padding), or of text in UTF-8. Raises: Unfit."""
    if not isinstance(value, str):
        raise Unfit("base64 text" if binary == "base64" else "text", named(value))
    if binary == "text":
        return utf8(value)
    try:
        packed = "".join(value.split()).translate(_URL_SAFE)
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Unfit("base64 text", f"{named(value)} that is no base64") from None


def utf8(text: str) -> bytes:
    """The text in UTF-8. Raises: Unfit for lone surrogates."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Unfit("text without lone surrogates", named(text)) from None
