"""Parameters of OpenAPI 3.x and Swagger 2.0 (OpenAPI 3.1 section 4.8.12, Swagger 2.0 section 4.2.9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from mcpbridge.openapi.headers import IGNORED, RESERVED
from mcpbridge.openapi.jsontext import is_object
from mcpbridge.openapi.names import argument_name
from mcpbridge.openapi.operation import Parameter, Place, Schema, Style, Where
from mcpbridge.openapi.problems import Trail
from mcpbridge.openapi.reading import Node, Reading, list_in, text_in
from mcpbridge.openapi.references import Found
from mcpbridge.openapi.values import short
from mcpbridge.openapi.wording import line

_STYLES: Mapping[str, tuple[Style, ...]] = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form", "cookie"),
}
"""The styles of each place, its default first."""

_COLLECTIONS: Mapping[str, Style] = {"ssv": "spaceDelimited", "tsv": "tabDelimited", "pipes": "pipeDelimited"}
_NO_SCHEMA_2 = frozenset({"name", "in", "required", "collectionFormat", "allowEmptyValue", "examples", "schema"})


def parameter3(reading: Reading, found: Found) -> Parameter | None:
    """One parameter of OpenAPI 3.x."""
    raw = _named(reading, found, ("path", "query", "header", "cookie", "querystring"))
    if raw is None:
        return None
    where = cast("Where", raw["in"])
    schema, media = Found(raw.get("schema"), found.base, (found.trail, "schema")), None
    content = raw.get("content")
    if is_object(content) and content and "schema" not in raw:
        media, stated = next(iter(content.items()))
        inner = reading.follow(stated, found.base, ((found.trail, "content"), media))
        if inner is not None and is_object(inner.value):
            schema = Found(inner.value.get("schema"), inner.base, (inner.trail, "schema"))
    style, explode = _style(reading, raw, where, found.trail)
    return _parameter(
        raw, where, _schema(reading, schema, raw), style=style, explode=explode, media=media,
        reserved=raw.get("allowReserved") is True,
    )  # fmt: skip


def parameter2(reading: Reading, found: Found) -> Parameter | None:
    """One parameter of Swagger 2.0 that is no part of the body; its own keywords are its schema."""
    raw = _named(reading, found, ("path", "query", "header"))
    if raw is None:
        return None
    where = cast("Where", raw["in"])
    style, explode = collection(raw, where)
    schema = _schema(reading, Found(schema2(reading, raw), found.base, found.trail), raw)
    return _parameter(raw, where, schema, style=style, explode=explode)


def schema2(reading: Reading, raw: Node) -> Node:
    """The schema among the members of a Swagger 2.0 parameter."""
    stated = raw.get("schema")
    inner = stated if is_object(stated) else {}
    return reading.schemas.keep({**inner, **{key: each for key, each in raw.items() if key not in _NO_SCHEMA_2}})


def collection(raw: Mapping[str, Any], where: str) -> tuple[Style, bool]:
    """Style and explode that a Swagger 2.0 `collectionFormat` means (section 4.2.9); `csv` unless it is said."""
    plain = where in ("path", "header")
    if raw.get("type") != "array":
        return ("simple", False) if plain else ("form", True)
    stated = raw.get("collectionFormat")
    if stated == "multi":
        return "form", True
    return _COLLECTIONS.get(str(stated), "simple" if plain else "form"), False


def undeclared(name: str) -> Parameter:
    """A variable of a path template that no parameter declares: text that is required."""
    return Parameter(
        argument=argument_name(name),
        place=Place(where="path", name=name),
        schema={"type": "string"},
        required=True,
        style="simple",
        explode=False,
    )


def _named(reading: Reading, found: Found, places: tuple[str, ...]) -> Node | None:
    """The parameter, where it has a name and a place; None where it is ignored or nothing can be made of it."""
    raw = found.value if is_object(found.value) else {}
    name, where = raw.get("name"), raw.get("in")
    if not isinstance(name, str) or not name or where not in places:
        if isinstance(name, str) and name and isinstance(where, str):
            message = f"the parameter {name!r} is in {where!r}, which OpenAPI {reading.dialect.name} does not have"
        else:
            message = "a parameter needs a name and a place ('name' and 'in')"
        reading.error(found.trail, message, "left out")
        return None
    if where == "header" and (lower := name.lower()) in RESERVED:
        if lower not in IGNORED:
            reading.note(found.trail, f"the header {name!r} belongs to the HTTP client", "left out")
        return None
    if raw.get("type") in ("apiKey", "http", "oauth2") and "schema" not in raw:
        reading.note(
            found.trail, f"{name!r} is a security scheme and no parameter", "left out: credentials are no arguments"
        )
        return None
    return raw


def _style(reading: Reading, raw: Node, where: str, trail: Trail) -> tuple[Style, bool]:
    if where == "querystring":
        return "form", True
    allowed = _STYLES[where]
    stated = raw.get("style")
    style = allowed[0]
    if stated in allowed:
        style = stated
    elif stated is not None:
        reading.warn((trail, "style"), f"{stated!r} is no style of a {where} parameter", f"written as {style!r}")
    explode = raw.get("explode")
    return style, explode if isinstance(explode, bool) else style in ("form", "cookie", "deepObject")


def _schema(reading: Reading, stated: Found, raw: Node) -> Schema:
    """The converted schema, with the parameter's own description and examples on it."""
    schema = reading.schemas.convert({} if stated.value is None else stated.value, stated.base, stated.trail)
    said: Node = {}
    if isinstance(text := raw.get("description"), str) and (cleaned := line(text)):
        said["description"] = cleaned
    if kept := _examples(raw):
        said["examples"] = kept
    if raw.get("deprecated") is True:
        said["deprecated"] = True
    if schema is False or not (said or raw.get("allowEmptyValue")):
        return schema
    out = {**({} if schema is True else schema), **said}
    return _with_empty(out) if raw.get("allowEmptyValue") is True and raw.get("in") == "query" else out


def _with_empty(schema: Node) -> Node:
    """Allows the empty value too (`allowEmptyValue`), where the schema itself would refuse it."""
    if "enum" in schema:
        return schema if "" in schema["enum"] else {**schema, "enum": [*schema["enum"], ""]}
    if schema.get("type") in ("integer", "number", "boolean"):
        return {**schema, "type": [schema["type"], "string"], "pattern": "^$"}
    return schema


def _examples(raw: Node) -> list[Any]:
    if "example" in raw:
        return [raw["example"]] if short(raw["example"]) else []
    examples = raw.get("examples")
    inner = list(examples.values())[:4] if is_object(examples) else list_in(raw, "examples")[:4]
    values = [each.get("value") if is_object(each) else each for each in inner]
    return [each for each in values if short(each)][:2]


def _parameter(
    raw: Node,
    where: Where,
    schema: Schema,
    *,
    style: Style,
    explode: bool,
    media: str | None = None,
    reserved: bool = False,
) -> Parameter:
    name = raw["name"]
    return Parameter(
        argument=argument_name(name),
        place=Place(where=where, name=name),
        schema=schema,
        required=where == "path" or raw.get("required") is True,
        style=style,
        explode=explode,
        allow_reserved=reserved,
        media=media,
        description=text_in(raw, "description"),
    )
