"""Patches and sequences, from the description to the bytes of the request (RFC 6902, RFC 7396, OpenAPI 3.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from describe import Raw, json_body, read, schema_of

from mcpbridge.openapi.request import build_request

TEXT: Raw = {"type": "string"}
ITEM: Raw = {"type": "object", "properties": {"n": {"type": "integer"}}}


def sent(stated: Raw, arguments: Raw, **more: Any) -> tuple[bytes, str]:
    request = build_request(read(stated, **more), arguments, base_url="https://h")
    return request.content, request.headers["content-type"]


@pytest.mark.req("OAS-09")
def test_a_merge_patch_says_what_changes_and_takes_away_by_null() -> None:
    schema = {"type": "object", "properties": {"title": {**TEXT, "nullable": True}, "size": {"type": "integer"}}}
    content, media = sent(json_body(schema, media="application/merge-patch+json"), {"title": None}, method="patch")

    assert (json.loads(content), media) == ({"title": None}, "application/merge-patch+json")


@pytest.mark.req("OAS-09")
def test_a_patch_of_operations_is_a_list_as_it_was_given() -> None:
    change = {"type": "object", "required": ["op", "path"], "properties": {"op": TEXT, "path": TEXT, "value": {}}}
    stated = json_body({"type": "array", "items": change}, media="application/json-patch+json")
    patch = [{"op": "replace", "path": "/a~1b", "value": None}, {"op": "remove", "path": "/c"}]
    content, media = sent(stated, {"body": patch}, method="patch")

    assert (json.loads(content), media) == (patch, "application/json-patch+json")


@pytest.mark.req("OAS-09")
@pytest.mark.parametrize(
    ("media", "content"),
    [
        ("application/jsonl", b'{"n":1}\n{"n":2}\n'),
        ("application/x-ndjson", b'{"n":1}\n{"n":2}\n'),
        ("application/json-seq", b'\x1e{"n":1}\n\x1e{"n":2}\n'),
        ("application/geo+json-seq", b'\x1e{"n":1}\n\x1e{"n":2}\n'),
        ("text/event-stream", b'data: {"n":1}\n\ndata: {"n":2}\n\n'),
    ],
)
@pytest.mark.parametrize("keyword", ["schema", "itemSchema"])
def test_a_sequence_is_a_list_of_its_items(media: str, content: bytes, keyword: str) -> None:
    schema = ITEM if keyword == "itemSchema" else {"type": "array", "items": ITEM}
    stated: Raw = {"requestBody": {"required": True, "content": {media: {keyword: schema}}}}

    assert sent(stated, {"body": [{"n": 1}, {"n": 2}]}, version="3.2.0") == (content, media)
    assert schema_of(read(stated, version="3.2.0"))["properties"]["body"]["items"] == ITEM


def test_a_stream_that_may_be_json_instead_is_asked_for_as_json() -> None:
    content: Raw = {"text/event-stream": {"itemSchema": ITEM}, "application/json": {"schema": ITEM}}

    assert read({"responses": {"200": {"content": content}}}, version="3.2.0").accept == "application/json"
    del content["application/json"]
    assert read({"responses": {"200": {"content": content}}}, version="3.2.0").accept == "text/event-stream"
