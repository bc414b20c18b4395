"""Small descriptions, written by hand, and shorthands to read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcpbridge.openapi.document import Document
from mcpbridge.openapi.operation import Operation
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.tool import to_tool

Raw = dict[str, Any]


def description(
    operation: Raw | None = None,
    *,
    path: str = "/things",
    method: str = "post",
    item: Raw | None = None,
    schemas: Raw | None = None,
    version: str = "3.0.3",
    **more: Any,
) -> Raw:
    """A description with one operation."""
    stated: Raw = {"operationId": "act", "responses": {}, **(operation or {})}
    root: Raw = {"info": {"title": "Things", "version": "1"}, "paths": {path: {method: stated, **(item or {})}}, **more}
    if version == "2.0":
        return {"swagger": version, "definitions": schemas or {}, **root}
    return {"openapi": version, "components": {"schemas": schemas or {}}, **root}


def operation_of(root: Raw, **options: Any) -> Operation:
    """The one operation of a description."""
    (operation,) = read_operations(Document.parse(root), **options)
    return operation


def read(operation: Raw | None = None, **more: Any) -> Operation:
    """One operation, read."""
    return operation_of(description(operation, **more))


def schema_of(operation: Operation) -> Mapping[str, Any]:
    """The input schema of an operation's tool."""
    return to_tool(operation).input_schema


def json_body(schema: Any, *, media: str = "application/json", required: bool = True, **more: Any) -> Raw:
    """An operation with a body."""
    return {"requestBody": {"required": required, "content": {media: {"schema": schema, **more}}}}


def converted(schema: Any, **more: Any) -> Any:
    """What becomes of one schema: that of a query parameter."""
    operation = read({"parameters": [{"name": "v", "in": "query", "schema": schema}]}, **more)
    return operation.parameters[0].schema


def messages(root: Any) -> list[str]:
    """What was found wrong."""
    return [problem.message for problem in Document.parse(root).problems]
