"""One value as text, for any place of a request; `Unfit` where that can't be.

`true`, `false`; integers exactly, a float that is whole without its `.0`; null as the empty text; containers as JSON.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import cast
from urllib.parse import quote

from mcpbridge.openapi.jsontext import is_list
from mcpbridge.tools import Json

PLAIN = ""
"""Characters that `encoded` leaves as they are besides unreserved ones: none."""

_WHOLE = 2.0**53
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_encode_ascii = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_unreserved = re.compile(r"[A-Za-z0-9._~-]*").fullmatch
_HEADER = re.compile(r"[!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?|")


class Unfit(ValueError):
    """A value that can't be written where it should go: what was expected there, and what came (never its text)."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected = expected
        self.got = got


def named(value: Json) -> str:
    """A value's type and size in words, for messages that must not show its text."""
    if isinstance(value, str):
        return f"a text of {len(value)} characters" if value else "an empty text"
    if is_list(value):
        return f"a list of {len(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    kind = type(cast("object", value)).__name__
    return {"int": "a number", "float": "a number", "dict": "an object"}.get(kind, f"a Python {kind}")


def json_text(value: Json, *, ascii_only: bool = False) -> str:
    """Compact JSON: integers exact, no NaN, no lone surrogates. Raises: Unfit."""
    try:
        text = _encode_ascii(value) if ascii_only else _encode(value)
        if not ascii_only:
            text.encode()
    except RecursionError:
        raise Unfit("JSON that is nested less deeply", named(value)) from None
    except (ValueError, TypeError) as error:  # NaN, too long a number, lone surrogates; sets, dates, bytes
        raise Unfit("a JSON value (no NaN, no infinity, no lone surrogates)", named(value)) from error
    return text


def text_of(value: Json) -> str:
    """One value as plain text, not yet encoded; containers as JSON. Raises: Unfit."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and isfinite(value):
        return str(int(value)) if value.is_integer() and abs(value) < _WHOLE else repr(value)
    return json_text(value)


def encoded(value: Json, safe: str = PLAIN) -> str:
    """One value percent-encoded (RFC 3986 section 2.1), but for unreserved and `safe` characters. Raises: Unfit."""
    text = text_of(value)
    if _unreserved(text) is not None:
        return text
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError:
        raise Unfit("text without lone surrogates", named(value)) from None


def checked_header(text: str) -> str:
    """The text, where a header can carry it (RFC 9110 section 5.5): Latin-1, no controls, no space at its ends.

    Raises: Unfit.
    """
    if _HEADER.fullmatch(text) is None:
        raise Unfit("text for a header: Latin-1, no line ends or controls, no space at its ends", named(text))
    return text
