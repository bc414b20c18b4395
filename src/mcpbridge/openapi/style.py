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

import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import unquote

from mcpbridge.openapi.headers import TOKEN
from mcpbridge.openapi.jsontext import is_container, is_list, is_object
from mcpbridge.openapi.operation import Parameter, Style
from mcpbridge.openapi.plaintext import PLAIN, Unfit, checked_header, encoded, json_text, named, text_of
from mcpbridge.tools import Json

DELIMITERS: dict[Style, str] = {"spaceDelimited": "%20", "pipeDelimited": "%7C", "tabDelimited": "%09"}
"""Between the values of one parameter; percent-encoded, as OpenAPI 3.1.1 spells them. Others have a comma.

In a path and a header they come from Swagger 2.0 (section 4.2.9, `collectionFormat`).
"""

RESERVED_IN_PATH = ":@!$&'()*+,;="
RESERVED_IN_QUERY = ":/?@!$'()*;="
"""What `allowReserved` leaves as it is: the reserved set of RFC 3986 without what ends the part or begins a pair."""

DEEPEST = 100
"""Levels of a deepObject."""

_COOKIE = re.compile(r"[!#-+\--:<-\[\]-~]*")


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
        text = DELIMITERS.get(parameter.style, ",").join(_flat(value, safe, explode=parameter.explode))
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
    if not is_container(value):
        yield f"{key}={encoded(value, safe)}"
    elif not value:
        return
    elif style == "deepObject":
        yield from _deep(key, value, safe)
    elif explode and style not in DELIMITERS:
        yield from _exploded(key, value, safe)
    else:
        yield f"{key}=" + DELIMITERS.get(style, ",").join(_flat(value, safe, explode=False))


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
    if not is_container(value):
        return checked_header(text_of(value))
    parts = list(_flat(value, None, explode=parameter.explode))
    mark = unquote(DELIMITERS.get(parameter.style, ","))
    if any(mark in part for part in parts):
        raise Unfit(f"items without the mark {mark!r} (a header's list can't hold it)", named(value))
    return checked_header(mark.join(parts))


def cookie_pairs(parameter: Parameter, value: Json) -> Iterator[str]:
    """The `name=value` pairs of one cookie parameter; style `cookie` (OpenAPI 3.2) encodes nothing. Raises: Unfit."""
    name, raw = parameter.place.name, parameter.style == "cookie"
    if raw and TOKEN.fullmatch(name) is None:
        raise Unfit("no value: the description's cookie name is not one that HTTP allows", named(value))
    write: Callable[[Json], str] = _raw_cookie if raw else encoded
    key = name if raw else encoded(name, "!#$&'*+^`|")
    if value is None:
        return
    if parameter.media is not None:
        yield f"{key}={write(_as_media(parameter.media, value, ascii_only=True))}"
    elif not is_container(value):
        yield f"{key}={write(value)}"
    elif not parameter.explode:
        yield f"{key}=" + ",".join(write(item) for item in _items(value))
    elif is_list(value):
        yield from (f"{key}={write(item)}" for item in value)
    else:
        yield from (f"{write(name)}={write(item)}" for name, item in value.items() if item is not None)


def _raw_cookie(value: Json) -> str:
    text = text_of(value)
    if _COOKIE.fullmatch(text) is None:
        raise Unfit("text for a cookie: ASCII without space, quote, comma, semicolon and backslash", named(value))
    return text


def _as_media(media: str, value: Json, *, ascii_only: bool = False) -> str:
    if "json" not in media and not is_container(value):
        return text_of(value)
    return json_text(value, ascii_only=ascii_only)


def _items(value: Json) -> Iterable[Json]:
    """A list's items, or an object's names and values in turn."""
    if is_list(value):
        return value
    return (part for member in value.items() for part in member)


def _flat(value: Json, safe: str | None, *, explode: bool) -> Iterator[str]:
    """The parts that a delimiter joins; `safe=None` encodes nothing."""

    def write(part: Json) -> str:
        return text_of(part) if safe is None else encoded(part, safe.replace(",", ""))

    if is_object(value) and explode:
        return (f"{write(name)}={write(item)}" for name, item in value.items())
    if is_container(value):
        return (write(part) for part in _items(value))
    return iter((text_of(value) if safe is None else encoded(value, safe),))


def _label(value: Json, safe: str, *, explode: bool) -> str:
    if not is_container(value):
        return "." + encoded(value, safe)
    parts = _flat(value, safe, explode=explode)
    return "." + (".".join(part.replace(".", "%2E") for part in parts) if explode else ",".join(parts))


def _matrix(name: str, value: Json, safe: str, *, explode: bool) -> str:
    key, safe = encoded(name), safe.replace(";", "")
    if not is_container(value):
        text = encoded(value, safe)
        return f";{key}={text}" if text else f";{key}"
    parts = _flat(value, safe, explode=explode)
    if not explode:
        return f";{key}=" + ",".join(parts)
    return "".join(f";{key}={part}" if is_list(value) else f";{part}" for part in parts)


def _exploded(key: str, value: Json, safe: str) -> Iterator[str]:
    if is_list(value):
        yield from (f"{key}={encoded(item, safe)}" for item in value)
        return
    for name, item in value.items():
        for one in item if is_list(item) else () if item is None else (item,):
            yield f"{encoded(name)}={encoded(one, safe)}"


def _deep(key: str, value: Json, safe: str, levels: int = DEEPEST) -> Iterator[str]:
    """`a[b][c]=1`, `a[b][0]=x`; null and empty containers are left out, the indexes of the others stay."""
    if is_container(value) and not levels:
        raise Unfit(f"at most {DEEPEST} levels of nesting", named(value))
    if is_object(value):
        for name, item in value.items():
            if "[" in name or "]" in name:
                raise Unfit("member names without brackets (they would read as another path)", "a name with one")
            yield from _deep(f"{key}%5B{encoded(name)}%5D", item, safe, levels - 1)
    elif is_list(value):
        for index, item in enumerate(value):
            yield from _deep(f"{key}%5B{index}%5D", item, safe, levels - 1)
    elif value is not None:
        yield f"{key}={encoded(value, safe)}"
