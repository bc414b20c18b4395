"""Every node of a description replaced by values of a wrong kind: nothing but `DescriptionError` may come of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from describe import Raw

from mcpbridge.errors import DescriptionError
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.tool import to_tool

WRONG: tuple[Any, ...] = (
    None, True, -1, "x", [], {}, [[]], ["object", {}], {"$ref": 5}, {"$ref": "#"}, {"$ref": "#/paths/~1a/x"},
    {"$ref": "#/components"}, {"type": {}}, {"$id": "http://x/y"},
)  # fmt: skip
RICH = """
{"openapi": "3.1.0", "info": {"title": "t"}, "servers": [{"url": "/v1"}], "security": [{"k": []}],
 "paths": {"/a/{b}": {"parameters": [{"$ref": "#/components/parameters/P"}], "servers": [{"url": "http://x"}],
  "post": {"operationId": "o", "tags": ["t"], "summary": "s", "description": "d", "x-mcp": {"access": "read"},
   "parameters": [{"name": "q", "in": "query", "style": "form", "explode": true, "example": 1,
                   "schema": {"type": "array", "items": {"type": "integer", "minimum": 1, "enum": [1]}}},
                  {"name": "c", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}}],
   "requestBody": {"required": true, "content": {"multipart/form-data": {"encoding": {"f": {"contentType": "a/b"}},
    "schema": {"allOf": [{"$ref": "#/components/schemas/S"}, {"required": ["f"], "properties": {
      "f": {"type": "string", "format": "binary"}}}]}}}},
   "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S"}}}}}}}},
 "components": {"parameters": {"P": {"name": "b", "in": "path", "required": true, "schema": {"type": "string"}}},
  "securitySchemes": {"k": {"type": "apiKey", "in": "header", "name": "X"}},
  "schemas": {"S": {"type": "object", "discriminator": {"propertyName": "t", "mapping": {"c": "C"}},
    "properties": {"t": {"type": "string", "pattern": "^a"}, "r": {"readOnly": true}}},
   "C": {"allOf": [{"$ref": "#/components/schemas/S"}], "nullable": true, "not": {"type": "null"}}}}}
"""


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    inner: list[tuple[Any, Any]] = []
    if is_object(node):
        inner = list(node.items())
    elif is_list(node):
        inner = list(enumerate(node))
    for key, value in inner:
        yield node, key
        yield from places(value)


def read(root: Raw) -> None:
    document = Document.parse(root)
    for operation in read_operations(document):
        tool = to_tool(operation, output_schema=True)
        json.dumps(tool.to_wire(), allow_nan=False)
        schema = {**tool.input_schema, "$schema": "https://json-schema.org/draft/2020-12/schema"}
        jsonschema_rs.meta.validate(schema)
        jsonschema_rs.validator_for(schema)
    assert document.problems is not None


@pytest.mark.req("OAS-02")
@pytest.mark.parametrize("wrong", WRONG, ids=json.dumps)
def test_a_value_of_a_wrong_kind_anywhere_raises_nothing_else(wrong: Any) -> None:
    root = json.loads(RICH)
    for holder, key in list(places(root)):
        before, holder[key] = holder[key], wrong
        try:
            read(root)
        except DescriptionError:
            assert key in ("openapi", "paths") or holder is root
        holder[key] = before
    read(root)


@pytest.mark.req("OAS-02")
def test_a_member_that_is_missing_anywhere_raises_nothing() -> None:
    for number, _ in enumerate(list(places(json.loads(RICH)))):
        root = json.loads(RICH)
        holder, key = list(places(root))[number]
        del holder[key]
        if "openapi" in root:
            read(root)
