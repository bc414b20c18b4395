"""How one value is written in a path, a query, a header or a cookie (OpenAPI 3.1 section 4.8.12, RFC 6570).

Decisions where the standards are silent:

- `true`, `false`; integers exactly, a float that is whole without its `.0`.
- null is left out; inside a list of values it is the empty text, so that the others keep their places.
- An empty list or object is left out.
- A container inside a container is JSON text; in a deepObject it is spelled out: `a[b][c]=1`, `a[b][0]=x`.
- Delimiters inside values are percent-encoded; what could not be told apart again is refused.

Everything here raises `Unfit` for a value that can't be written there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from math import isfinite
from typing import cast
from urllib.parse import quote

from mcpbridge.openapi.operation import Parameter, Style
from mcpbridge.tools import Json

DELIMITERS: dict[Style, str] = {"spaceDelimited": "%20", "pipeDelimited": "%7C", "tabDelimited": "%09"}
"""Between the values of one query parameter; percent-encoded, as OpenAPI 3.1.1 spells them. Others have a comma."""

PLAIN = ""
RESERVED_IN_PATH = ":@!$&'()*+,;="
RESERVED_IN_QUERY = ":/?@!$'()*;="
"""What `allowReserved` leaves as it is: the reserved set of RFC 3986 without what ends the part or begins a pair."""

_WHOLE = 2.0**53
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_encode_ascii = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_HEADER = re.compile(r"[!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?|")
_COOKIE = re.compile(r"[!#-+\--:<-\[\]-~]*")


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
    if isinstance(value, list):
        return f"a list of {len(cast('list[Json]', value))}"
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
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return json_text(value)
        case float() if isfinite(value):
            return str(int(value)) if value.is_integer() and abs(value) < _WHOLE else repr(value)
        case _:
            return json_text(value)


def encoded(value: Json, safe: str = PLAIN) -> str:
    """One value percent-encoded (RFC 3986 section 2.1), but for unreserved and `safe` characters. Raises: Unfit."""
    try:
        return quote(text_of(value), safe=safe)
    except UnicodeEncodeError:
        raise Unfit("text without lone surrogates", named(value)) from None


def path_text(parameter: Parameter, value: Json, *, reserved: bool = False) -> str:
    """What replaces a parameter's placeholder in a path: styles simple, label and matrix. Raises: Unfit."""
    safe = RESERVED_IN_PATH + "/" if reserved or parameter.allow_reserved else PLAIN
    if parameter.media is not None:
        text = encoded(_as_media(parameter.media, value), safe)
    elif value is None or value == [] or value == {}:
        text = ""
    elif parameter.style == "label":
        text = _label(value, safe, explode=parameter.explode)
    elif parameter.style == "matrix":
        text = _matrix(parameter.place.name, value, safe, explode=parameter.explode)
    else:
        text = ",".join(_flat(value, safe, explode=parameter.explode))
    if not text:
        raise Unfit("a value that is not empty (an empty path segment changes the path)", named(value))
    return text


def query_pairs(
    name: str, value: Json, *, style: Style = "form", explode: bool = True, reserved: bool = False
) -> Iterator[str]:
    """The `name=value` pairs of one query parameter or form field, encoded. Raises: Unfit."""
    safe = RESERVED_IN_QUERY if reserved else PLAIN
    key = encoded(name)
    if value is None:
        return
    if not isinstance(value, list | dict):
        yield f"{key}={encoded(value, safe)}"
    elif not value:
        return
    elif style == "deepObject":
        yield from _deep(key, cast("Json", value), safe)
    elif explode and style not in DELIMITERS:
        yield from _exploded(key, cast("Json", value), safe)
    else:
        yield f"{key}=" + DELIMITERS.get(style, ",").join(_flat(cast("Json", value), safe, explode=False))


def query_parameter(parameter: Parameter, value: Json) -> Iterator[str]:
    """The pairs of a query parameter, by its style or its media type. Raises: Unfit."""
    if parameter.media is not None:
        safe = RESERVED_IN_QUERY + "," if parameter.allow_reserved else PLAIN
        yield f"{encoded(parameter.place.name)}={encoded(_as_media(parameter.media, value), safe)}"
        return
    yield from query_pairs(
        parameter.place.name,
        value,
        style=parameter.style,
        explode=parameter.explode,
        reserved=parameter.allow_reserved,
    )


def header_text(parameter: Parameter, value: Json) -> str:
    """A header's value, style simple; nothing is percent-encoded (OpenAPI 3.1.1 section 4.8.12). Raises: Unfit."""
    if parameter.media is not None:
        return checked_header(_as_media(parameter.media, value, ascii_only=True))
    if not isinstance(value, list | dict):
        return checked_header(text_of(value))
    parts = list(_flat(cast("Json", value), None, explode=parameter.explode))
    if any("," in part for part in parts):
        raise Unfit("items without a comma (a header's list can't hold one)", named(value))
    return checked_header(",".join(parts))


def checked_header(text: str) -> str:
    """The text, where a header can carry it (RFC 9110 section 5.5): Latin-1, no controls, no space at its ends.

    Raises: Unfit.
    """
    if _HEADER.fullmatch(text) is None:
        raise Unfit("text for a header: Latin-1, no line ends or controls, no space at its ends", named(text))
    return text


def cookie_pairs(parameter: Parameter, value: Json) -> Iterator[str]:
    """The `name=value` pairs of one cookie parameter; style `cookie` (OpenAPI 3.2) encodes nothing. Raises: Unfit."""
    name, raw = parameter.place.name, parameter.style == "cookie"
    write: Callable[[Json], str] = _raw_cookie if raw else encoded
    key = name if raw else encoded(name, "!#$&'*+^`|")
    if value is None:
        return
    if parameter.media is not None:
        yield f"{key}={write(_as_media(parameter.media, value, ascii_only=True))}"
    elif not isinstance(value, list | dict):
        yield f"{key}={write(value)}"
    elif not parameter.explode:
        yield f"{key}=" + ",".join(write(item) for item in _items(cast("Json", value)))
    elif isinstance(value, list):
        yield from (f"{key}={write(item)}" for item in cast("list[Json]", value))
    else:
        members = cast("dict[str, Json]", value)
        yield from (f"{write(member)}={write(item)}" for member, item in members.items() if item is not None)


def _raw_cookie(value: Json) -> str:
    text = text_of(value)
    if _COOKIE.fullmatch(text) is None:
        raise Unfit("text for a cookie: ASCII without space, quote, comma, semicolon and backslash", named(value))
    return text


def _as_media(media: str, value: Json, *, ascii_only: bool = False) -> str:
    if "json" not in media and not isinstance(value, list | dict):
        return text_of(value)
    return json_text(value, ascii_only=ascii_only)


def _items(value: Json) -> Iterable[Json]:
    """A list's items, or an object's names and values in turn."""
    if isinstance(value, list):
        return cast("list[Json]", value)
    return (part for member in cast("dict[str, Json]", value).items() for part in member)


def _flat(value: Json, safe: str | None, *, explode: bool) -> Iterator[str]:
    """The parts that a delimiter joins; `safe=None` encodes nothing."""

    def write(part: Json) -> str:
        return text_of(part) if safe is None else encoded(part, safe.replace(",", ""))

    if isinstance(value, dict) and explode:
        members = cast("dict[str, Json]", value)
        return (f"{write(name)}={write(item)}" for name, item in members.items())
    if isinstance(value, list | dict):
        return (write(part) for part in _items(cast("Json", value)))
    return iter((text_of(value) if safe is None else encoded(value, safe),))


def _label(value: Json, safe: str, *, explode: bool) -> str:
    if not isinstance(value, list | dict):
        return "." + encoded(value, safe)
    parts = _flat(cast("Json", value), safe, explode=explode)
    return "." + (".".join(part.replace(".", "%2E") for part in parts) if explode else ",".join(parts))


def _matrix(name: str, value: Json, safe: str, *, explode: bool) -> str:
    key, safe = encoded(name), safe.replace(";", "")
    if not isinstance(value, list | dict):
        text = encoded(value, safe)
        return f";{key}={text}" if text else f";{key}"
    parts = _flat(cast("Json", value), safe, explode=explode)
    if not explode:
        return f";{key}=" + ",".join(parts)
    return "".join(f";{key}={part}" if isinstance(value, list) else f";{part}" for part in parts)


def _exploded(key: str, value: Json, safe: str) -> Iterator[str]:
    if isinstance(value, list):
        yield from (f"{key}={encoded(item, safe)}" for item in cast("list[Json]", value))
        return
    for name, item in cast("dict[str, Json]", value).items():
        for one in cast("list[Json]", item) if isinstance(item, list) else () if item is None else (item,):
            yield f"{encoded(name)}={encoded(one, safe)}"


def _deep(key: str, value: Json, safe: str) -> Iterator[str]:
    """`a[b][c]=1`, `a[b][0]=x`; null and empty containers are left out, the indexes of the others stay."""
    if isinstance(value, dict):
        for name, item in cast("dict[str, Json]", value).items():
            if "[" in name or "]" in name:
                raise Unfit("member names without brackets (they would read as another path)", "a name with one")
            yield from _deep(f"{key}%5B{encoded(name)}%5D", item, safe)
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Json]", value)):
            yield from _deep(f"{key}%5B{index}%5D", item, safe)
    elif value is not None:
        yield f"{key}={encoded(value, safe)}"
