"""What one operation may answer, as an OpenAPI document of its own that refers to nothing outside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from mcpbridge.openapi import media
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.jsontext import is_object
from mcpbridge.openapi.operation import Operation, Schema
from mcpbridge.openapi.reading import Node, Reading, object_in
from mcpbridge.openapi.references import Found
from mcpbridge.openapi.tool import needed_definitions

PATH = "/answer"
"""Where the one operation (GET) of such a document stands, whatever its path and method are in truth."""


def answers_document(document: Document, operation: Operation) -> Mapping[str, Any] | None:
    """The responses of the operation with strict schemas, in OpenAPI 3.1 whatever the description's dialect is.

    References to schemas are `#/$defs/NAME`, and stand at the document's root. Only JSON has a schema. None where the
    operation does not say what it answers.
    """
    reading = document.reading
    found = reading.references.resolve(f"#{quote(operation.pointer, safe='/~')}", reading.references.base, None)
    found = found if found is None else reading.follow(found.value, found.base, found.trail)
    if found is None or not is_object(found.value):
        return None
    responses: Node = {}
    for code, value in object_in(found.value, "responses").items():
        response = reading.follow(value, found.base, ((found.trail, "responses"), code))
        if response is not None and is_object(response.value) and not code.startswith("x-"):
            responses[code if code == "default" else code.upper()] = _response(reading, found, response)
    if not responses:
        return None
    schemas = [each["schema"] for one in responses.values() for each in one.get("content", {}).values() if each]
    return {
        "openapi": "3.1.0",
        "info": {"title": operation.name, "version": "1"},
        "paths": {PATH: {"get": {"responses": responses}}},
        "$defs": needed_definitions(schemas, operation.definitions),
    }


def _response(reading: Reading, operation: Found, response: Found) -> Node:
    content: Node = {}
    for offer in reading.dialect.answers(reading, operation, response):
        kind = media.essence(offer.media)
        told = media.is_json(kind) and offer.schema.value is not None
        content[kind] = {"schema": _node(reading.schemas.answer(offer.schema))} if told else {}
    return {"description": "", "content": content} if content else {"description": ""}


def _node(schema: Schema) -> Mapping[str, Any]:
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    return schema
