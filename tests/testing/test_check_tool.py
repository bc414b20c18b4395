"""One tool, looked at as a model provider and a client do."""

from __future__ import annotations

from typing import Any

import pytest

from mcpbridge.openapi.document import Document
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.tool import to_tool
from mcpbridge.testing import check_tool
from mcpbridge.tools import Tool

pytestmark = pytest.mark.req("TEST-02")


def tool(**more: Any) -> Tool:
    given: dict[str, Any] = {"name": "find", "description": "Finds.", **more}
    return Tool(**given)


def with_a(schema: Any, **more: Any) -> Tool:
    return tool(input_schema={"type": "object", "properties": {"a": schema}, **more})


BAD: list[tuple[Tool, str]] = [
    (tool(name="find things"), "its name does not match"),
    (tool(description=" "), "it has no description"),
    (tool(input_schema={"type": "array"}), "inputSchema has the type 'array' at its root"),
    (tool(output_schema={"type": "strin"}), "outputSchema is no usable JSON Schema"),
    (tool(input_schema="x"), "inputSchema is a str, no JSON Schema object"),
    (with_a({"enum": {1}}), "inputSchema is no JSON"),
    (with_a({"$ref": "https://elsewhere.test/x"}), "inputSchema is no usable JSON Schema"),
    (with_a({}, required=["b"]), "'b' is required, and is no argument"),
    (tool(input_schema={"type": "object", "properties": {"$filter": {}}}), "the argument '\\$filter' does not match"),
    (with_a({"type": "integer", "default": "ten"}), "the default 'ten' of 'a' does not fit"),
    (with_a({"$ref": "#/$defs/N", "examples": ["x"]}, **{"$defs": {"N": {"type": "null"}}}), "the example 'x' of 'a'"),
    (tool(access="rw"), "its access is 'rw'"),
    (tool(access="read", extra={"annotations": {"readOnlyHint": False}}), "counts as one that reads"),
    (tool(extra={"annotations": {"readOnlyHint": True, "destructiveHint": True}}), "only reads, and that it destroys"),
]


@pytest.mark.parametrize(("given", "words"), BAD, ids=[words for _, words in BAD])
def test_what_is_wrong_with_a_tool_is_told(given: Tool, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_tool(given)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(AssertionError) as raised:
        check_tool(tool(name="a b", description=""))
    assert str(raised.value).count("\n  - ") == 2


def test_arguments_that_have_to_fit_and_arguments_that_must_not() -> None:
    find = with_a({"type": "integer"}, required=["a"])
    check_tool(find, accepts=[{"a": 1}], refuses=[{}, {"a": "1"}])
    with pytest.raises(AssertionError, match=r"it refuses \{'a': 'x'\}: /a: expected"):
        check_tool(find, accepts=[{"a": "x"}])
    with pytest.raises(AssertionError, match=r"it accepts \{'a': 2\}"):
        check_tool(find, refuses=[{"a": 2}])


def test_every_tool_of_the_bookshop_is_good(bookshop: str) -> None:
    for operation in read_operations(Document.parse(bookshop)):
        check_tool(to_tool(operation, output_schema=True))
