"""How a request body is written, by the media type that the operation chose (OpenAPI 3.1 section 4.8.14).

Only the value and the `Body` decide; no schema is looked at. Everything here raises `Unfit`.
"""

from __future__ import annotations

from collections.abc import Callable

from mcpbridge.openapi import media
from mcpbridge.openapi.content import Content, decoded, utf8
from mcpbridge.openapi.events import events_text
from mcpbridge.openapi.jsontext import is_container, is_list, is_object
from mcpbridge.openapi.markup import part_text, xml_text
from mcpbridge.openapi.multipart import multipart
from mcpbridge.openapi.operation import Body, Encoding
from mcpbridge.openapi.plaintext import Unfit, json_text, named, text_of
from mcpbridge.openapi.style import query_pairs
from mcpbridge.openapi.xmlshape import Xml
from mcpbridge.tools import Json

_PLAIN = Encoding()


def write_body(body: Body, value: Json) -> Content:
    """The body's bytes. Raises: Unfit."""
    kind = media.essence(body.media)
    if body.binary is not None:
        return Content(media=_concrete(body.media, "application/octet-stream"), data=decoded(value, body.binary))
    if media.is_json(kind):
        return Content(media=body.media, data=json_text(value).encode())
    if media.is_form(kind):
        return Content(media=body.media, data=form_text(body, value).encode())
    if kind.startswith("multipart/"):
        return multipart(body, _members(value))
    return _by_kind(kind)(body, value)


def form_text(body: Body, value: Json) -> str:
    """`application/x-www-form-urlencoded` pairs. A member without a style is text, JSON where it is an object (XML
    where its encoding says so), or one pair an item where it is a list (OpenAPI 3.1 section 4.8.14.4). Raises: Unfit.
    """
    pairs: list[str] = []
    for name, item in _members(value).items():
        encoding = body.encoding.get(name, _PLAIN)
        if encoding.xml is not None:
            given = item if is_list(item) else [item]
            pairs += [pair for each in given for pair in query_pairs(name, part_text(encoding, name, each) or each)]
        elif encoding.style is not None:
            pairs += query_pairs(
                name, item, style=encoding.style, explode=encoding.explode, reserved=encoding.allow_reserved
            )
        elif is_object(item) or (item is not None and media.is_json(media.essence(encoding.media or ""))):
            pairs += query_pairs(name, json_text(item))
        else:
            pairs += query_pairs(name, item)
    return "&".join(pairs)


def _members(value: Json) -> dict[str, Json]:
    if not is_object(value):
        raise Unfit("an object with the form's fields", named(value))
    return value


def _by_kind(kind: str) -> Callable[[Body, Json], Content]:
    if media.is_lines(kind):
        return _lines
    if media.is_xml(kind):
        return _xml
    return _stream if kind == "text/event-stream" else _text


def _lines(body: Body, value: Json) -> Content:
    items = value if is_list(value) else [value]
    mark = "\x1e" if media.essence(body.media).endswith("json-seq") else ""
    return Content(media=body.media, data="".join(f"{mark}{json_text(item)}\n" for item in items).encode())


def _xml(body: Body, value: Json) -> Content:
    """XML by the body's hints; text that is XML already, and text of which nothing is said, as it is."""
    shape, charset = body.xml or Xml(), media.charset(body.media, "UTF-8")
    written = isinstance(value, str) and (shape.name is None or value.lstrip()[:1] == "<")
    text = value if written else xml_text(shape, value, charset=charset or "UTF-8")
    return Content(media=body.media, data=_in_charset(text, charset))


def _stream(body: Body, value: Json) -> Content:
    text = value if isinstance(value, str) else events_text(value)
    return Content(media=body.media, data=utf8(text))


def _text(body: Body, value: Json) -> Content:
    """Text as it is, in its charset; a container as JSON text, which is what YAML takes too."""
    if is_container(value):
        return Content(media=_concrete(body.media, "application/json"), data=json_text(value).encode())
    kind = _concrete(body.media, "text/plain")
    if kind.startswith("text/") and media.parameter(kind, "charset") is None:
        kind += "; charset=utf-8"
    return Content(media=kind, data=_in_charset(text_of(value), media.charset(body.media, "utf-8")))


def _in_charset(text: str, charset: str | None) -> bytes:
    if charset is None:
        raise Unfit("no text: the description's charset is none that is used", named(text))
    try:
        return text.encode(charset)
    except (UnicodeEncodeError, LookupError):
        raise Unfit(f"text that the charset {charset!r} can hold", named(text)) from None


def _concrete(declared: str, otherwise: str) -> str:
    """The declared media type, unless it is a range such as `*/*`."""
    return otherwise if "*" in declared.partition(";")[0] else declared
