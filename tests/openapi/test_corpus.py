"""What becomes of real descriptions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from mcpbridge.openapi.composed import definition_name, references_in
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.operation import Operation
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.tool import to_tool
from mcpbridge.tools import Tool

pytestmark = pytest.mark.corpus

NAMED = {
    "github-api.json": 1223,
    "stripe-spec3.json": 417,
    "pagerduty-rest.json": 465,
    "openai-api.yaml": 288,
    "digitalocean-v2/DigitalOcean-public.v2.yaml": 659,
}


@cache
def read(path: Path) -> tuple[Document, list[Operation], list[Tool]]:
    document = Document.parse(path)
    operations = list(read_operations(document))
    return document, operations, [to_tool(operation, output_schema=True) for operation in operations]


def nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    stack = [value]
    while stack:
        each = stack.pop()
        if is_object(each):
            yield each
            stack.extend(inner for key, inner in each.items() if key not in ("enum", "const", "default", "examples"))
        elif is_list(each):
            stack.extend(each)


@pytest.mark.req("OAS-04")
@pytest.mark.parametrize(("name", "count"), NAMED.items())
def test_every_operation_becomes_one_tool(corpus: Path, name: str, count: int) -> None:
    _, operations, tools = read(corpus / name)

    assert len(tools) == count
    assert len({(each.method, each.path) for each in operations}) == count
    assert all(tool.description for tool in tools)


@pytest.mark.req("OAS-11")
@pytest.mark.parametrize("name", NAMED)
def test_all_names_are_legal_and_different(corpus: Path, name: str) -> None:
    _, operations, tools = read(corpus / name)

    assert len({tool.name for tool in tools}) == len(tools)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", tool.name) for tool in tools)
    for operation, tool in zip(operations, tools, strict=True):
        assert tool.input_schema["properties"].keys() == operation.arguments.keys()
        assert all(re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", argument) for argument in operation.arguments)


@pytest.mark.req("OAS-05", "OAS-06")
@pytest.mark.parametrize("name", NAMED)
def test_all_schemas_are_valid_and_self_contained(corpus: Path, name: str) -> None:
    for tool in read(corpus / name)[2]:
        for schema in (tool.input_schema, tool.output_schema or {"type": "object"}):
            whole = {**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"}
            jsonschema_rs.meta.validate(whole)
            jsonschema_rs.validator_for(whole)
            assert schema["type"] == "object"
            needed = {each for part in [schema, *schema.get("$defs", {}).values()] for each in references_in(part)}
            assert needed == schema.get("$defs", {}).keys()


@pytest.mark.req("OAS-06")
@pytest.mark.parametrize("name", NAMED)
def test_no_keyword_of_openapi_is_left(corpus: Path, name: str) -> None:
    seen: set[int] = set()
    for tool in read(corpus / name)[2]:
        for part in [tool.input_schema["properties"], *tool.input_schema.get("$defs", {}).values()]:
            if id(part) in seen:
                continue
            seen.add(id(part))
            for node in nodes(part):
                if isinstance(node.get("type"), str) or "$ref" in node:
                    assert not node.keys() & {"nullable", "discriminator", "xml", "example", "x-stripeParam"}
                    assert not isinstance(node.get("exclusiveMinimum"), bool)
                    assert "$ref" not in node or definition_name(node["$ref"])


@pytest.mark.req("OAS-02", "OAS-03")
@pytest.mark.parametrize("name", NAMED)
def test_nothing_is_lost(corpus: Path, name: str) -> None:
    problems = read(corpus / name)[0].problems

    assert [str(problem) for problem in problems if problem.severity == "error"] == []
