"""Whatever is read (descriptions, answers, challenges), what comes of it is a value or an error of ours, in time."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import httpx2
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mcpbridge.auth.challenge import read_challenges
from mcpbridge.errors import DescriptionError
from mcpbridge.net.reading import TooLarge, read_body
from mcpbridge.openapi.declare import declare
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.limits import ReadLimits
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.response import read_answer
from mcpbridge.openapi.tool import to_tool

WORDS = [
    "openapi", "swagger", "3.0.3", "3.1.0", "3.2.0", "2.0", "info", "paths", "/x", "/{id}", "get", "post", "put",
    "parameters", "requestBody", "responses", "content", "schema", "application/json", "application/xml",
    "multipart/form-data", "in", "path", "query", "header", "cookie", "name", "required", "type", "object", "array",
    "string", "properties", "items", "allOf", "oneOf", "anyOf", "not", "$ref", "#/components/schemas/A", "#/paths",
    "components", "schemas", "A", "additionalProperties", "pattern", "^(a+)+$", "default", "enum", "example", "style",
    "explode", "deepObject", "servers", "url", "{host}", "variables", "operationId", "security", "tags",
    "discriminator", "mapping", "nullable", "format", "x-mcp", "$defs", "$id", "$anchor", "$dynamicRef", "encoding",
    "xml", "wrapped", "prefixItems", "if", "then",
]  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS)
NAMES = st.sampled_from(WORDS) | st.text(max_size=5)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=40,
)
MARKS = ["&a ", "*a ", "- ", "{", "}", "[", "]", ": ", "\n", " ", "!!x ", "|", '"', "openapi"]
MARKUP = st.lists(st.sampled_from(MARKS)).map("".join)
PIECES = ["Bearer", "Basic ", "a=b", 'a="', '"', "\\", ",", " ", "=", "YWJj==", "\t"]
CHALLENGES = st.lists(st.sampled_from(PIECES)).map("".join)
MEDIA = ["application/json", "text/event-stream", "application/jsonl; charset=utf-16", "text/html", "image/png"]
LIMITS = ReadLimits(seconds=5, bytes=1_000_000)
PROFILE = settings.get_profile("fuzz")


def read(data: Any) -> None:
    """Reads a description to its tools; only errors of ours may come out."""
    began = time.perf_counter()
    with suppress(DescriptionError):
        for operation in read_operations(Document.parse(data, limits=LIMITS)):
            json.dumps(to_tool(operation, output_schema=True).to_wire())
    assert time.perf_counter() - began < 10


@settings(PROFILE)
@given(VALUES)
def test_any_operation_is_read_or_left_out(value: Any) -> None:
    for version in ({"openapi": "3.1.0"}, {"openapi": "3.0.3"}, {"swagger": "2.0"}):
        read({**version, "info": {"title": "t", "version": "1"}, "paths": {"/x/{id}": value}})
        read(
            {
                **version,
                "paths": {"/x/{id}": {"post": value, "parameters": value}},
                "components": {"schemas": {"A": value}},
            }
        )


@settings(PROFILE)
@given(VALUES)
def test_any_document_is_read_or_refused(value: Any) -> None:
    read(json.dumps(value))
    read(yaml.safe_dump({"openapi": "3.1.0", "paths": value}, allow_unicode=True))


@settings(PROFILE)
@given(st.text() | MARKUP)
def test_any_text_is_read_or_refused(text: str) -> None:
    read(text)
    read(text.encode("utf-8", "surrogatepass"))


@settings(PROFILE)
@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read(data)


@settings(PROFILE)
@given(
    st.integers(100, 599),
    st.dictionaries(
        st.sampled_from(["content-type", "retry-after", "location", "date", "link"]),
        st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=30) | st.sampled_from(MEDIA),
    ),
    st.binary() | VALUES.map(lambda value: json.dumps(value).encode()),
)
def test_any_answer_is_a_result(status: int, headers: dict[str, str], content: bytes) -> None:
    encoded = httpx2.Headers([(name.encode(), value.encode("latin-1")) for name, value in headers.items()])
    result = read_answer(declare("t", method="GET", path="/x"), status, encoded, content, now=1e9)

    assert result.model_dump_json(by_alias=True)
    assert result.is_error is not (200 <= status < 300)


@settings(PROFILE)
@given(st.lists(st.binary(), max_size=5), st.sampled_from(["", "gzip", "deflate", "gzip, gzip", "br", "x", ","]))
async def test_any_body_is_read_under_its_cap(parts: list[bytes], coding: str) -> None:
    class Parts(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncGenerator[bytes]:
            for part in parts:
                yield part

    response = httpx2.Response(200, headers={"content-encoding": coding}, stream=Parts())
    response.request = httpx2.Request("GET", "https://api.example.com/")
    with suppress(TooLarge, httpx2.DecodingError):
        assert len(await read_body(response, 100)) <= 100


@settings(PROFILE)
@given(st.text() | CHALLENGES)
def test_any_challenge_is_read(header: str) -> None:
    for challenge in read_challenges(header):
        assert challenge.scheme == challenge.scheme.lower() != ""
