"""What a fake API answers: the example of the description, in whatever form and dialect it stands there."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from mcpbridge.testing import FakeUpstream

pytestmark = pytest.mark.req("TEST-04")

TITLE = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
NAMED = {"$ref": "#/components/examples/Emma"}


def described(responses: Any, **more: Any) -> dict[str, Any]:
    operation = {"operationId": "op", "responses": responses}
    return {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": operation}}, **more}


def content(media: str, **more: Any) -> Any:
    return {"200": {"description": "x", "content": {media: more}}}


COMPONENTS: dict[str, Any] = {
    "components": {
        "examples": {"Emma": {"value": {"title": "Emma"}}},
        "responses": {
            "Book": {"description": "x", "content": {"application/json": {"example": {"title": "Persuasion"}}}}
        },
    }
}

JSON = "application/json"
ANSWERS: dict[str, tuple[Any, int, str, bytes]] = {
    "its example": (content(JSON, example={"title": "Emma"}), 200, JSON, b'{"title": "Emma"}'),
    "a named example behind a reference": (content(JSON, examples={"one": NAMED}), 200, JSON, b'{"title": "Emma"}'),
    "the example of a response behind a reference": (
        {"201": {"$ref": "#/components/responses/Book"}},
        201,
        JSON,
        b'{"title": "Persuasion"}',
    ),
    "what its schema asks for": (content(JSON, schema=TITLE), 200, JSON, b'{"title": "text"}'),
    "JSON of its own media type": (
        content("application/hal+json", schema=TITLE),
        200,
        "application/hal+json",
        b'{"title": "text"}',
    ),
    "JSON where several are offered": (
        {"200": {"description": "x", "content": {"text/csv": {}, JSON: {"example": [1]}}}},
        200,
        JSON,
        b"[1]",
    ),
    "text": (content("text/plain"), 200, "text/plain", b"text"),
    "text that is shown": (content("text/csv", example="a,b"), 200, "text/csv", b"a,b"),
    "bytes that are shown as base64": (content("image/png", example="aGk="), 200, "image/png", b"hi"),
    "bytes that are shown as they are": (content("image/png", example="hi!"), 200, "image/png", b"hi!"),
    "an object in a form that is no JSON": (
        content("application/xml", example={"a": 1}),
        200,
        "application/xml",
        b'{"a": 1}',
    ),
    "the default where no success is stated": (
        {"default": {"description": "x", "content": {JSON: {"example": 1}}}},
        200,
        JSON,
        b"1",
    ),
    "nothing": ({"204": {"description": "gone"}}, 204, "", b""),
    "nothing where nothing is said": ({"202": {"description": "taken"}}, 202, "", b""),
    "a success that is a range": ({"2XX": {"description": "x", "content": {JSON: {"example": 2}}}}, 200, JSON, b"2"),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_fake_answers(name: str) -> None:
    responses, *expected = ANSWERS[name]
    fake = FakeUpstream.from_openapi(described(responses, **COMPONENTS))
    async with httpx2.AsyncClient(transport=fake.transport) as client:
        answer = await client.get("http://fake.test/a")

    assert [answer.status_code, answer.headers.get("content-type", ""), answer.content] == expected


async def test_swagger_has_its_examples_elsewhere() -> None:
    response = {"description": "x", "schema": TITLE, "examples": {"application/json": {"title": "Emma"}}}
    raw = described({"200": response}, swagger="2.0", basePath="/v1", produces=["application/json"])
    del raw["openapi"]
    fake = FakeUpstream.from_openapi(raw)
    async with httpx2.AsyncClient(transport=fake.transport) as client:
        assert (await client.get("http://fake.test/v1/a")).json() == {"title": "Emma"}


@pytest.mark.parametrize("path", ["/v1/a?fixed=1", "/v1/a/b/c", "/v1/a/x"])
async def test_the_most_particular_path_answers(path: str) -> None:
    def get(name: str, *parameters: str) -> Any:
        given = [{"name": one, "in": "path", "required": True, "schema": {"type": "string"}} for one in parameters]
        return {"get": {"operationId": name, "parameters": given, "responses": {}}}

    paths = {
        "/a/{rest}": get("one", "rest"),
        "/a/x": get("x"),
        "/a/{+more}": get("more", "more"),
        "/a?fixed=1": get("q"),
        "/a": get("a"),
    }
    raw = described({}, servers=[{"url": "https://api.test/v1"}])
    fake = FakeUpstream.from_openapi({**raw, "paths": paths})
    async with httpx2.AsyncClient(transport=fake.transport) as client:
        await client.get(f"http://fake.test{path}")

    assert fake.names == [{"/v1/a?fixed=1": "q", "/v1/a/b/c": "more", "/v1/a/x": "x"}[path]]
