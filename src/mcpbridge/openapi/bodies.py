"""Request bodies: which media type, merged into the arguments or whole, and which parts of it are bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mcpbridge.openapi import media
from mcpbridge.openapi.composed import Definitions, Node, behind, members_of, merged, plain
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.operation import Binary, Body, Encoding, Schema, Style
from mcpbridge.openapi.reading import BodyOffers, Offer, Reading, object_in

if TYPE_CHECKING:
    from mcpbridge.openapi.xmlshape import Xml

JSON = "application/json"
_ANY = ("*/*", "application/*")
_STYLES: tuple[Style, ...] = ("form", "spaceDelimited", "pipeDelimited", "tabDelimited", "deepObject")
_BYTES = ("image/", "audio/", "video/", "font/")
_BYTES_TOO = frozenset(
    f"application/{name}"
    for name in ("octet-stream", "pdf", "zip", "gzip", "x-gzip", "x-tar", "tar", "x-7z-compressed", "msword", "wasm")
)
_FILE = "base64 of the file's bytes"


_PREFERRED: tuple[Callable[[str], bool], ...] = (
    lambda kind: kind == JSON,
    lambda kind: kind == "application/merge-patch+json",
    lambda kind: media.is_json(kind) and "json-patch" not in kind,
    media.is_json,
    lambda kind: kind in _ANY,
    media.is_form,
    lambda kind: kind == "multipart/form-data",
    lambda kind: kind.startswith("multipart/"),
    lambda kind: media.is_text(kind) and not media.is_xml(kind) and not media.is_yaml(kind),
    media.is_yaml,
    lambda kind: not media.is_xml(kind) and not media.is_lines(kind),
    media.is_lines,
    lambda _: True,
)
"""What a body is sent as, the most wanted first."""


def chosen(offers: Sequence[Offer]) -> Offer | None:
    """The media type that is sent: JSON, then a form, multipart, text, bytes, lines and XML.

    Among several JSON types plain JSON comes first, then a merge patch (RFC 7396), a patch by operations (RFC 6902)
    last. `*/*` is sent as JSON.
    """
    return min(offers, key=lambda offer: _rank(media.essence(offer.media)), default=None)


def _rank(kind: str) -> int:
    return next(rank for rank, fits in enumerate(_PREFERRED) if fits(kind))


def body_of(reading: Reading, stated: BodyOffers) -> Body | None:
    """The body in its chosen media type, with members where it merges; their arguments are named by the caller.

    An object merges where its members are known and nothing else about it is said. An optional body with required
    members stays whole: leaving it out and leaving them out are two things.
    """
    offer = chosen(stated.offers)
    if offer is None:
        return None
    kind = media.essence(offer.media)
    name = JSON if kind in _ANY or kind.endswith("*+json") else offer.media
    kind = media.essence(name)
    value: Any = {} if offer.schema.value is None else offer.schema.value
    schema = reading.schemas.convert(value, offer.schema.base, offer.schema.trail)
    definitions = reading.schemas
    binary = whole_binary(kind, plain(schema, definitions))
    if binary is not None:
        schema = _bytes_schema(schema, binary, definitions)
        return Body(media=name, schema=schema, required=stated.required, binary=binary, description=stated.description)
    flat = merged(schema, definitions)
    encoding: Mapping[str, Encoding] = {}
    if media.is_form(kind) or kind.startswith("multipart/"):
        members = flat["properties"] if flat is not None else members_of(schema, definitions)
        encoding = {
            each: made
            for each, inner in members.items()
            if (made := _encoding(object_in(offer.encoding, each), plain(inner, definitions), definitions, kind))
        }
        if flat is not None:
            flat = {**flat, "properties": _with_files(members, encoding, definitions)}
        elif not isinstance(schema, bool) and "properties" in schema:
            schema = {**schema, "properties": _with_files(schema["properties"], encoding, definitions)}
        encoding = {each: _in_xml(reading, offer, each, made) for each, made in encoding.items()}
    body = Body(
        media=name, schema=schema, required=stated.required, encoding=encoding, description=stated.description,
        xml=_shape(reading, offer) if media.is_xml(kind) else None,
    )  # fmt: skip
    if flat is not None and (stated.required or "required" not in flat):
        return replace(body, schema=flat, members={each: each for each in flat["properties"]})
    return body


def _in_xml(reading: Reading, offer: Offer, member: str, encoding: Encoding) -> Encoding:
    """The encoding of a member, with the shape of its XML where it is written in that."""
    if encoding.media is None or not media.is_xml(media.essence(encoding.media)):
        return encoding
    return replace(encoding, xml=_shape(reading, offer, member))


def _shape(reading: Reading, offer: Offer, part: str | None = None) -> Xml:
    """The shape of a body, or of one part of it, in XML."""
    from mcpbridge.openapi.xmlhints import xml_of, xml_of_part  # noqa: PLC0415 - the import budget: few have any

    return xml_of(reading, offer.schema) if part is None else xml_of_part(reading, offer.schema, part)


def whole_binary(kind: str, schema: Mapping[str, Any]) -> Binary | None:
    """Whether a body of this media type is bytes: by its schema, and where that says nothing, by its media type."""
    if media.is_json(kind) or media.is_form(kind) or kind.startswith(("multipart/", "text/")) or media.is_lines(kind):
        return None
    said = binary_of(schema)
    if said is not None or schema.get("type", "string") != "string" or schema.keys() & {"properties", "items", "enum"}:
        return said
    return "base64" if kind.startswith(_BYTES) or kind in _BYTES_TOO or (kind == "*/*" and not schema) else None


def binary_of(schema: Mapping[str, Any]) -> Binary | None:
    """Whether a string is bytes, and how they come in: `format: binary` (OpenAPI 3.0 section 4.7.7.2) as base64 that is
    decoded; `format: byte` and `contentEncoding` are text on the wire too.
    """
    kind = schema.get("type")
    if kind not in (None, "string") and not (is_list(kind) and "string" in kind):
        return None
    if "contentEncoding" in schema or schema.get("format") in ("byte", "base64"):
        return "text"
    stated = str(schema.get("contentMediaType", ""))
    if schema.get("format") == "binary" or stated.startswith(_BYTES) or stated in _BYTES_TOO:
        return "base64"
    return None


def _bytes_schema(schema: Schema, binary: Binary, definitions: Definitions) -> Schema:
    """The schema of an argument that takes bytes: text, and what is in it."""
    known = behind(schema, definitions)
    said: Node = {} if isinstance(known, bool) or isinstance(schema, bool) else {**known, **schema}
    described = said.get("description")
    if binary == "text":
        return schema
    kept: Node = {key: said[key] for key in ("title", "default", "deprecated") if key in said}
    text = f"{described.rstrip('.')} ({_FILE})." if isinstance(described, str) else f"{_FILE[:1].upper()}{_FILE[1:]}."
    return {"type": "string", "contentEncoding": "base64", "description": text, **kept}


def _with_files(members: Node, encoding: Mapping[str, Encoding], definitions: Definitions) -> Node:
    out = dict(members)
    for name, each in encoding.items():
        if each.binary == "base64" and name in out:
            out[name] = _file_schema(out[name], definitions)
    return out


def _file_schema(schema: Schema, definitions: Definitions) -> Schema:
    inner = plain(schema, definitions)
    if inner.get("type") == "array":
        said = {key: value for key, value in inner.items() if key != "items"}
        return {**said, "items": _bytes_schema(inner.get("items", {}), "base64", definitions)}
    return _bytes_schema(schema, "base64", definitions)


def _encoding(
    stated: Mapping[str, Any], schema: Mapping[str, Any], definitions: Definitions, kind: str
) -> Encoding | None:
    """How one member is written (OpenAPI 3.1 section 4.8.15); None where nothing is out of the ordinary."""
    binary = None
    if kind.startswith("multipart/"):
        items = plain(schema["items"], definitions) if schema.get("type") == "array" and "items" in schema else schema
        binary = binary_of(items)
    contents = stated.get("contentType")
    media_type = contents.partition(",")[0].strip() if isinstance(contents, str) else ""
    if "*" in media_type:
        media_type = ""
    style, explode = _style(stated)
    headers = {
        name: str(value)
        for name, header in object_in(stated, "headers").items()
        if name.lower() != "content-type" and (value := _fixed(header)) is not None
    }
    made = Encoding(
        media=media_type or (str(schema["contentMediaType"]) if binary and "contentMediaType" in schema else None),
        style=style,
        explode=explode,
        allow_reserved=stated.get("allowReserved") is True,
        binary=binary,
        headers=headers,
    )
    return None if made == Encoding() else made


def _style(stated: Mapping[str, Any]) -> tuple[Style | None, bool]:
    if not stated.keys() & {"style", "explode", "allowReserved"}:
        return None, True
    style = stated.get("style")
    chosen_style: Style = style if style in _STYLES else "form"
    explode = stated.get("explode")
    return chosen_style, explode if isinstance(explode, bool) else chosen_style in ("form", "deepObject")


def _fixed(header: Any) -> Any:
    """A part's header is sent where its schema leaves one value: its default or only one."""
    schema = object_in(header, "schema") if is_object(header) else {}
    only = schema.get("enum")
    value = schema.get(
        "default",
        schema.get("const", only[0] if is_list(only) and len(only) == 1 else None),
    )
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None
