"""Text to JSON values: decodes bytes, tells JSON from YAML, and says what a text is that is neither.

JSON goes through a JSON parser and never through YAML. Numbers that JSON cannot write (`NaN`, `1e999`, integers of
more than 300 digits) are read as text, so that whatever is made of a description is valid JSON again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from mcpbridge.errors import DescriptionError
from mcpbridge.openapi.limits import Deadline, ReadLimits

_LARGE = 1024 * 1024
_PART = 64 * 1024
_WIDE = re.compile(rb"[\x80-\xff]+")
_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_LONE_SURROGATE = re.compile(
    r"(?<!\\)((?:\\\\)*)(?:\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
_DIGITS = 300


def load_text(data: bytes | str, limits: ReadLimits, deadline: Deadline, *, json_only: bool = False) -> Any:
    """The JSON value that a JSON or YAML text holds. `json_only` is for files that are named `.json`.

    Raises: DescriptionError, with the line where it is known.
    """
    if len(data) > limits.bytes:
        raise DescriptionError(f"the description is larger than {limits.bytes} bytes; raise the limit or split it")
    start = data[:64].lstrip()
    bracket = start[:1] in (b"{", b"[", "{", "[")
    if bracket and len(data) > _LARGE and (value := _load_large(data)) is not None:
        return value
    text = data if isinstance(data, str) else _decode(data)
    start_text = text.lstrip("\ufeff \t\r\n")
    if not start_text:
        raise DescriptionError("the description is empty; an OpenAPI or Swagger document in JSON or YAML is expected")
    if start_text[0] == "<":
        what = "HTML page" if re.match(r"<(?:!doctype html|html)", start_text[:200], re.IGNORECASE) else "XML text"
        raise DescriptionError(f"this is an {what}, no API description; check the address or the login", line=1)
    if start_text[0] in "{[":
        return _load_json(text.lstrip("\ufeff"), limits, deadline, json_only=json_only)
    return _load_yaml(text.lstrip("\ufeff"), limits, deadline)


def _load_large(data: bytes | str) -> Any:
    """A large JSON text by orjson, where that is installed (its import pays from about a megabyte on), else by `json`
    in a form that takes little memory; None for what is no JSON in UTF-8.
    """
    try:
        import orjson  # noqa: PLC0415 - an optional extra
    except ImportError:
        return _load_narrow(data) if isinstance(data, bytes) else None
    try:
        return orjson.loads(data)
    except ValueError:
        return None


def _load_narrow(data: bytes) -> Any:
    """As ASCII, with escapes for all else: one emoji makes Python keep four bytes for each character of a text."""
    try:
        return _parse(b"".join(_ascii_parts(data)).decode("ascii"), escapes=b"\\u" in data)
    except (ValueError, RecursionError):
        return None


def _ascii_parts(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        end = start + _PART
        while end < len(data) and data[end] >= 0x80:  # a part ends where no character is cut
            end += 1
        part = data[start:end]
        yield part if part.isascii() else _WIDE.sub(_escaped, part)
        start = end


def _escaped(found: re.Match[bytes]) -> bytes:
    return json.dumps(found[0].decode()).strip('"').encode()


def _decode(data: bytes) -> str:
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8-sig")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DescriptionError(
            f"the description is not {encoding.removesuffix('-sig')} text (byte {error.start}); save it as UTF-8",
            line=data.count(b"\n", 0, error.start) + 1,
        ) from None


def _load_json(text: str, limits: ReadLimits, deadline: Deadline, *, json_only: bool) -> Any:
    try:
        return _parse(text, escapes="\\u" in text)
    except json.JSONDecodeError as error:
        if not json_only:
            return _flow_yaml(text, limits, deadline, error)
        raise _not_json(error) from None
    except RecursionError:
        raise DescriptionError(f"the JSON is nested deeper than {limits.depth} levels; flatten it") from None


def _parse(text: str, *, escapes: bool) -> Any:
    whole = _LONE_SURROGATE.sub(r"\1\\ufffd", text) if escapes else text
    return json.loads(whole, parse_float=_number, parse_int=_integer, parse_constant=str)


def _not_json(error: json.JSONDecodeError) -> DescriptionError:
    cut = "; the text seems to be cut off" if error.pos >= len(error.doc.rstrip()) else ""
    return DescriptionError(f"this is not JSON: {error.msg} in column {error.colno}{cut}", line=error.lineno)


def _flow_yaml(text: str, limits: ReadLimits, deadline: Deadline, error: json.JSONDecodeError) -> Any:
    """A text in braces that is no JSON may be YAML's flow style (comments, trailing commas); else it is wrong JSON."""
    try:
        return _load_yaml(text, limits, deadline)
    except DescriptionError as yaml_error:
        if "more than" in str(yaml_error) or "deeper" in str(yaml_error):
            raise
        raise _not_json(error) from None


def _load_yaml(text: str, limits: ReadLimits, deadline: Deadline) -> Any:
    from mcpbridge.openapi.yaml12 import load_yaml  # noqa: PLC0415 - the import budget: JSON needs no YAML parser

    return load_yaml(text, limits, deadline)


def _number(text: str) -> float | str:
    number = float(text)
    return number if number - number == 0 else text


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= _DIGITS else text
