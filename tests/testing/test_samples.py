"""Values made of schemas fit them; requests made of them are read back by a fake of the same description."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest

from mcpbridge.errors import BridgeError
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.request import build_request
from mcpbridge.openapi.tool import input_of
from mcpbridge.testing.described import DescribedApi
from mcpbridge.testing.patterns import text_like
from mcpbridge.testing.received import Received
from mcpbridge.testing.samples import fits, sample

pytestmark = pytest.mark.req("TEST-04")

SCHEMAS: list[tuple[Any, Any]] = [
    ({"const": 4}, 4),
    ({"enum": [None, "a"]}, "a"),
    ({"type": "string", "examples": ["x"]}, "x"),
    ({"type": "integer", "default": 3}, 3),
    ({"type": "integer", "examples": ["wrong"]}, 1),
    ({"type": "integer", "minimum": 5, "multipleOf": 3}, 6),
    ({"type": "number", "exclusiveMaximum": -2}, -2.5),
    ({"type": ["null", "boolean"]}, True),
    ({"type": "string", "minLength": 6}, "textxx"),
    ({"type": "string", "format": "date"}, "2026-01-31"),
    ({"type": "string", "pattern": "^97[89][0-9]{3}$"}, "978000"),
    ({"type": "array", "items": {"type": "string"}, "minItems": 2, "uniqueItems": True}, ["text", "text1"]),
    ({"type": "object", "minProperties": 1}, {"member0": "text"}),
    ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
    (
        {"allOf": [{"required": ["a"]}, {"properties": {"a": {"type": "null"}}, "required": ["b"]}]},
        {"a": None, "b": "text"},
    ),
    ({"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 0.5}]}, 1),
    ({"$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}}, "$ref": "#/$defs/A"}, None),
    (True, None),
]


@pytest.mark.parametrize(("schema", "value"), SCHEMAS, ids=lambda each: str(each)[:40])
def test_a_sample_fits_its_schema(schema: Any, value: Any) -> None:
    made = sample(schema)
    if value is not None:
        assert made == value or "oneOf" in schema
    assert fits(schema, made) or "oneOf" in schema


PATTERNS = [
    r"^[a-z]{3}-\d{2,4}$",
    r"^(?:foo|bar)+$",
    r"^[^a-c]\S\w$",
    r"^(?P<name>x)?y*z+?$",
    r"[A-F0-9]{8}(-[A-F0-9]{4}){3}",
    r"^\u0041\x42$",
    r"^(?!no)yes$",
    r"^[\w.+-]+@[\w-]+\.\w{2,}$",
    r"^$",
    r"^#/",
    r"^\[a\]$",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_text_matches_its_pattern(pattern: str) -> None:
    assert re.search(pattern, text_like(pattern))


@pytest.mark.parametrize("pattern", ["(", "[", "a{", "\\", "(?<", "[a-", "*", "+?", r"^\p{L}", "a{99999999999}"])
def test_a_pattern_that_is_none_ends(pattern: str) -> None:
    assert len(text_like(pattern, length=10)) <= 2_000


@pytest.mark.corpus
def test_requests_made_of_real_descriptions_are_read_back_without_a_word_against_them(corpus: Path) -> None:
    chosen = random.Random(7)
    files = sorted(path for path in corpus.iterdir() if path.is_file() and path.stat().st_size < 2_000_000)
    judged, against, unlike = 0, list[str](), list[str]()
    for path in chosen.sample(files, 20):
        api = DescribedApi(Document.parse(path))
        for operation in chosen.sample([*api.operations.values()], min(12, len(api.operations))):
            schema = input_of(operation)
            arguments = sample(schema)
            try:
                request = build_request(operation, arguments, base_url="http://fake.test")
            except BridgeError:
                continue
            if not fits(schema, arguments):
                continue
            read = api.read(
                Received(
                    method=request.method,
                    path=request.url.raw_path.partition(b"?")[0].decode(),
                    query=request.url.query.decode(),
                    headers={name.lower(): value for name, value in request.headers.items()},
                    body=request.content,
                )
            )
            judged += 1
            against += [f"{path.name} {operation.name}: {problem}" for problem in read.problems]
            unlike += [f"{path.name} {operation.name} is {read.name}"] if read.name != operation.name else []

    assert judged > 150
    assert not against
    assert not unlike
