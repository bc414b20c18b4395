"""Reads a request back by its operation: which arguments it carries, and what the description says against it. Pure.

The way back of `build_request`, for the styles that APIs use. What is not read back (matrix and label paths, nested
deep objects, parts of multipart bodies, bodies that are neither JSON nor a form) is not judged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import unquote, unquote_plus

from mcpbridge.openapi.jsontext import is_object
from mcpbridge.openapi.media import essence, is_form, is_json
from mcpbridge.openapi.operation import Body, Parameter
from mcpbridge.testing.judged import Judged
from mcpbridge.testing.received import Received
from mcpbridge.tools import Json

_MISSING = object()
_UNREAD = object()
_SEPARATORS: Mapping[str, str] = {
    "spaceDelimited": r"%20|\+| ",
    "pipeDelimited": r"\||%7[Cc]",
    "tabDelimited": r"\t|%09",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sent:
    """A request in its parts, values as they were sent."""

    path: Mapping[str, str]
    pairs: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]


def read_back(judged: Judged, received: Received, path: Mapping[str, str]) -> tuple[dict[str, Json], list[str]]:
    """The arguments of a request, and its problems; `path` holds the segments of variables as they were sent."""
    headers = received.headers
    sent = _Sent(path=path, pairs=_pairs(received.query), headers=headers, cookies=_cookies(headers.get("cookie", "")))
    arguments: dict[str, Json] = {}
    problems: list[str] = []
    for parameter in judged.operation.parameters:
        value, place = _parameter(judged, parameter, sent), f"{parameter.place.where} {parameter.place.name}"
        if value is _MISSING and parameter.required:
            problems.append(f"{place}: is required, and was not sent")
        elif value is not _MISSING and value is not _UNREAD:
            arguments[parameter.argument] = value
            problems += judged.problems(place, value, parameter.schema)
    if judged.operation.body is not None:
        found, wrong = _body(judged, judged.operation.body, headers.get("content-type", ""), received.body)
        return {**arguments, **found}, [*problems, *wrong]
    return arguments, [*problems, *(["body: this operation takes none"] if received.body else [])]


def _parameter(judged: Judged, parameter: Parameter, sent: _Sent) -> object:
    name = parameter.place.name
    match parameter.place.where:
        case "path" if parameter.style == "simple":
            return _one(judged, parameter, sent.path.get(name, ""), unquote)
        case "query":
            return _query(judged, parameter, sent.pairs)
        case "header":
            value = sent.headers.get(name.lower())
            return _MISSING if value is None else _one(judged, parameter, value, str.strip)
        case "cookie":
            value = sent.cookies.get(name)
            return _MISSING if value is None else _one(judged, parameter, value, unquote)
        case _:
            return _UNREAD


def _one(judged: Judged, parameter: Parameter, text: str, decode: Callable[[str], str]) -> object:
    """A value in one place; the parts of an array or object stand between commas."""
    if parameter.media is not None:
        return _json(decode(text))
    kind = judged.kind(parameter.schema)
    if not kind:
        return judged.read(decode(text), parameter.schema)
    parts = [decode(part) for part in text.split(",")]
    if kind == "object" and parameter.explode:
        parts = [half for part in parts for half in part.split("=", 1)]
    return judged.read_parts(parts, parameter.schema)


def _query(judged: Judged, parameter: Parameter, pairs: Sequence[tuple[str, str]]) -> object:
    schema = parameter.schema
    if parameter.style == "deepObject":
        return _deep(judged, parameter, pairs)
    if judged.kind(schema) == "object" and parameter.explode and parameter.media is None:
        members = judged.members(schema)
        found = {key: judged.read(unquote_plus(text), members[key]) for key, text in pairs if key in members}
        return found or _MISSING
    given = [text for key, text in pairs if key == parameter.place.name]
    return _given(judged, parameter, given) if given else _MISSING


def _given(judged: Judged, parameter: Parameter, given: Sequence[str]) -> object:
    if parameter.media is not None:
        return _json(unquote_plus(given[-1]))
    if not judged.kind(parameter.schema):
        return judged.read(unquote_plus(given[-1]), parameter.schema)
    exploded = parameter.explode and parameter.style == "form"
    parts = given if exploded else re.split(_SEPARATORS.get(parameter.style, ","), given[-1])
    return judged.read_parts([unquote_plus(part) for part in parts], parameter.schema)


def _deep(judged: Judged, parameter: Parameter, pairs: Sequence[tuple[str, str]]) -> object:
    """`name[key]=value` (OpenAPI 3.1 section 4.8.12.3)."""
    start, members = f"{parameter.place.name}[", judged.members(parameter.schema)
    found: dict[str, Json] = {}
    for key, text in pairs:
        if key.startswith(start) and key.endswith("]"):
            inner = key[len(start) : -1]
            if "][" in inner or inner in found:
                return _UNREAD
            found[inner] = judged.read(unquote_plus(text), members.get(inner, True))
    return found or _MISSING


def _body(judged: Judged, body: Body, kind: str, data: bytes) -> tuple[dict[str, Json], list[str]]:
    if not data:
        return {}, ["body: is required, and was not sent"] if body.required else []
    sent, wanted = essence(kind), essence(body.media)
    if sent != wanted and "*" not in wanted:
        return {}, [f"body: is {sent or 'of no media type'}, and {wanted} is expected"]
    if is_json(wanted):
        value = _json(data.decode("utf-8", "replace"))
    elif is_form(wanted):
        value = _form(judged, body, data)
    else:
        return {}, []
    if value is _UNREAD:
        return {}, ["body: is no JSON"]
    return _arguments(body, value), [*judged.problems("body", value, body.schema)]


def _form(judged: Judged, body: Body, data: bytes) -> dict[str, Json]:
    members = judged.members(body.schema)
    found: dict[str, Json] = {}
    for name, text in _pairs(data.decode("ascii", "replace")):
        schema, decoded = members.get(name, True), unquote_plus(text)
        match judged.kind(schema):
            case "array":
                found[name] = [*found.get(name, ()), judged.read(decoded, judged.items(schema))]
            case "object":
                found[name] = _json(decoded)
            case _:
                found[name] = judged.read(decoded, schema)
    return {name: value for name, value in found.items() if value is not _UNREAD}


def _arguments(body: Body, value: Json) -> dict[str, Json]:
    if body.members is None or not is_object(value):
        return {body.argument: value}
    return {argument: value[member] for argument, member in body.members.items() if member in value}


def _json(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _UNREAD


def _pairs(query: str) -> list[tuple[str, str]]:
    """Names, decoded, and values as they were sent."""
    parts = [part.partition("=") for part in query.split("&") if part]
    return [(unquote_plus(name), value) for name, _, value in parts]


def _cookies(header: str) -> Mapping[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}
