"""OpenAPI 3.0, 3.1, 3.2 and Swagger 2.0: one record of functions each, and which one a description is written in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mcpbridge.errors import DescriptionError
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.parameters import collection, parameter2, parameter3, schema2
from mcpbridge.openapi.problems import Trail
from mcpbridge.openapi.reading import BodyOffers, Dialect, Node, Offer, Reading, list_in, object_in, text_in
from mcpbridge.openapi.references import Found

_METHODS_2 = ("get", "put", "post", "delete", "options", "head", "patch")
_METHODS_3 = (*_METHODS_2, "trace")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def _methods(names: Sequence[str]) -> Any:
    def methods(item: Node, trail: Trail) -> Iterator[tuple[str, Any, Trail]]:
        for name in item:
            if name in names:
                yield name.upper(), item[name], (trail, name)

    return methods


def _methods32(item: Node, trail: Trail) -> Iterator[tuple[str, Any, Trail]]:
    """Those of 3.1, `query`, and any method by `additionalOperations` (OpenAPI 3.2 section 4.9.1)."""
    yield from _methods((*_METHODS_3, "query"))(item, trail)
    for name, value in object_in(item, "additionalOperations").items():
        yield name, value, ((trail, "additionalOperations"), name)


def _body3(reading: Reading, operation: Found, _parameters: Sequence[Found]) -> BodyOffers | None:
    stated = operation.value.get("requestBody")
    if stated is None:
        return None
    trail = (operation.trail, "requestBody")
    found = reading.follow(stated, operation.base, trail)
    if found is None:
        return None
    if not is_object(found.value):
        reading.error(trail, "a request body has to be an object", "left out")
        return None
    raw = found.value
    offers = _offers(reading, found)
    if not offers and raw.get("required") is True:
        reading.warn(found.trail, "the request body names no media type ('content')", "no body is sent")
    return BodyOffers(offers, raw.get("required") is True, text_in(raw, "description"), found.trail)


def _offers(reading: Reading, found: Found) -> list[Offer]:
    """The media types under `content`; 3.2's `itemSchema` describes one of a sequence."""
    offers: list[Offer] = []
    content = object_in(found.value, "content")
    above = (found.trail, "content")
    for media, stated in content.items():
        inner = reading.follow(stated, found.base, (above, media))
        raw = inner.value if inner is not None and is_object(inner.value) else {}
        base, trail = (found.base, found.trail) if inner is None else (inner.base, inner.trail)
        schema = Found(raw.get("schema"), base, (trail, "schema"))
        if schema.value is None and isinstance(raw.get("itemSchema"), dict | bool):
            schema = Found(reading.schemas.keep({"type": "array", "items": raw["itemSchema"]}), base, trail)
        offers.append(Offer(media, schema, object_in(raw, "encoding")))
    return offers


def _answers3(reading: Reading, _operation: Found, response: Found) -> Sequence[Offer]:
    return _offers(reading, response)


def _body2(reading: Reading, operation: Found, parameters: Sequence[Found]) -> BodyOffers | None:
    """The `body` parameter in what the operation consumes, or the `formData` ones as one form (section 4.2.9)."""
    consumes = [each for each in _media2(reading, operation, "consumes") if isinstance(each, str)]
    form: list[Found] = []
    for found in parameters:
        raw = found.value
        if raw["in"] == "body":
            schema = Found(raw.get("schema"), found.base, (found.trail, "schema"))
            offers = [Offer(media, schema) for media in consumes or ["application/json"]]
            return BodyOffers(offers, raw.get("required") is True, text_in(raw, "description"), found.trail)
        form.append(found)
    return _form2(reading, form, consumes) if form else None


def _form2(reading: Reading, form: Sequence[Found], consumes: Sequence[str]) -> BodyOffers:
    files = any(found.value.get("type") == "file" for found in form)
    medias = [each for each in consumes if each.partition(";")[0].strip().lower() in _FORMS]
    if files:
        medias = [each for each in medias if "multipart" in each] or [_FORMS[1]]
    required = [found.value["name"] for found in form if found.value.get("required") is True]
    schema = reading.schemas.keep(
        {
            "type": "object",
            "properties": {found.value["name"]: schema2(reading, found.value) for found in form},
            "required": required,
        }
    )
    encoding: dict[str, Any] = {}
    for found in form:
        if found.value.get("type") == "array":
            style, explode = collection(found.value, "formData")
            encoding[found.value["name"]] = {"style": style, "explode": explode}
    whole = Found(schema, form[0].base, form[0].trail)
    offers = [Offer(media, whole, encoding) for media in medias or [_FORMS[0]]]
    return BodyOffers(offers, bool(required), "", form[0].trail)


def _answers2(reading: Reading, operation: Found, response: Found) -> Sequence[Offer]:
    schema = Found(response.value.get("schema"), response.base, (response.trail, "schema"))
    produces = [each for each in _media2(reading, operation, "produces") if isinstance(each, str)]
    if schema.value is None and not produces:
        return ()
    return [Offer(media, schema) for media in produces or ["application/json"]]


def _media2(reading: Reading, operation: Found, key: str) -> list[Any]:
    return list_in(operation.value, key) or list_in(reading.root, key)


SWAGGER_2 = Dialect(
    name="2.0",
    components=("definitions",),
    modern=False,
    in_body=frozenset({"body", "formData"}),
    methods=_methods(_METHODS_2),
    parameter=parameter2,
    body=_body2,
    answers=_answers2,
)
OPENAPI_30 = Dialect(
    name="3.0",
    components=("components", "schemas"),
    modern=False,
    methods=_methods(_METHODS_3),
    parameter=parameter3,
    body=_body3,
    answers=_answers3,
)
OPENAPI_31 = replace(OPENAPI_30, name="3.1", modern=True)
OPENAPI_32 = replace(OPENAPI_31, name="3.2", methods=_methods32, self_named=True)

_OPENAPI = {"3.0": OPENAPI_30, "3.1": OPENAPI_31, "3.2": OPENAPI_32}
_OTHERS: Mapping[str, str] = {
    "asyncapi": "an AsyncAPI description",
    "arazzo": "an Arazzo description of workflows",
    "overlay": "an OpenAPI overlay",
    "swaggerVersion": "a Swagger 1.x description",
    "discoveryVersion": "a Google discovery document",
    "mcpServers": "a client's list of MCP servers",
    "__schema": "a GraphQL introspection result",
    "$schema": "a JSON Schema",
}
_EXPECTED = "an OpenAPI 3.0, 3.1 or 3.2 or Swagger 2.0 description is expected"


def dialect_of(root: Any) -> Dialect:
    """The dialect that a document says it is written in.

    Raises: DescriptionError that says what it is instead.
    """
    if not is_object(root):
        raise DescriptionError(f"this is {_kind(root)}, no API description; {_EXPECTED}")
    node = root
    for key in ("openapi", "swagger"):
        if key in node:
            return _by_version(key, node[key])
    raise DescriptionError(f"this is {_other(node)}; {_EXPECTED}")


def _by_version(key: str, value: Any) -> Dialect:
    version = str(value).strip()
    short = ".".join(version.split(".")[:2])
    if key == "swagger" and short in ("2", "2.0"):
        return SWAGGER_2
    if key == "openapi" and (dialect := _OPENAPI.get("3.0" if short == "3" else short)) is not None:
        return dialect
    raise DescriptionError(f"the version {key}: {version[:20]!r} is not known; {_EXPECTED}", pointer=f"/{key}")


def _other(node: Node) -> str:
    info = object_in(node, "info")
    if "_postman_id" in info or ("item" in node and "getpostman" in text_in(info, "schema")):
        return "a Postman collection"
    for key, name in _OTHERS.items():
        if key in node:
            return name
    keys = ", ".join(repr(key[:30]) for key in list(node)[:5])
    return f"no API description: it has neither 'openapi' nor 'swagger', but {keys or 'nothing at all'}"


def _kind(root: Any) -> str:
    if root is None:
        return "an empty document"
    if isinstance(root, str):
        return "plain text"
    return "a list" if is_list(root) else "a single value"
