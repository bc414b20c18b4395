"""An upstream made of a description: in this process, and over a real port."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from mcpbridge.errors import ConfigError, Failure
from mcpbridge.net.limits import Limits
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.request import build_request
from mcpbridge.rest import RestSource
from mcpbridge.source.answer import error_of
from mcpbridge.testing import FakeUpstream, Fault, Received, Reply, sample
from mcpbridge.tools import Call

pytestmark = pytest.mark.req("TEST-04")

ORDER = {"isbn": "9780141439518", "quantity": 2, "customer": {"name": "Ada"}}


@pytest.fixture
def fake(bookshop: str) -> FakeUpstream:
    return FakeUpstream.from_openapi(bookshop)


@pytest.fixture(params=["in process", "port"])
def shop(request: pytest.FixtureRequest, bookshop: str, fake: FakeUpstream) -> Any:
    """Opens a source on the fake, both ways."""

    @asynccontextmanager
    async def opened(**limits: Any) -> AsyncGenerator[RestSource]:
        if request.param == "in process":
            async with RestSource.from_openapi(
                bookshop, base_url="http://fake.test", transport=fake.transport, limits=Limits(**limits)
            ) as source:
                yield source
        else:
            async with (
                fake.listening() as url,
                RestSource.from_openapi(bookshop, base_url=url, limits=Limits(**limits)) as source,
            ):
                yield source

    return opened


async def failure(source: RestSource, name: str = "list_books", **arguments: Any) -> Failure:
    found = error_of(await source.call_tool(Call(name=name, arguments=arguments)))
    assert found is not None
    return found


async def test_every_operation_answers_what_its_description_says(shop: Any, bookshop: str, fake: FakeUpstream) -> None:
    async with shop() as source:
        for tool in await source.list_tools(Call(name="").caller):
            answer = await source.call_tool(Call(name=tool.name, arguments=sample(tool.input_schema)))
            assert error_of(answer) is None, (tool.name, answer)

    assert fake.names == [operation.name for operation in read_operations(Document.parse(bookshop))]
    assert fake.problems == []


async def test_what_is_received_is_recorded(shop: Any, fake: FakeUpstream) -> None:
    async with shop() as source:
        await source.call_tool(Call(name="list_books", arguments={"search": "a&b, c", "limit": 3, "in_stock": True}))
        await source.call_tool(Call(name="place_order", arguments=ORDER))

    books, order = fake.received
    assert (books.method, books.path, books.name) == ("GET", "/books", "list_books")
    assert books.arguments == {"search": "a&b, c", "limit": 3, "in_stock": True}
    assert (order.json, order.arguments) == (ORDER, ORDER)
    assert order.headers["content-type"] == "application/json"


async def test_examples_come_before_what_a_schema_asks_for(shop: Any, fake: FakeUpstream) -> None:
    async with shop() as source:
        answer = await source.call_tool(Call(name="get_book", arguments={"isbn": "9780141439518"}))

    assert answer.structured_content["isbn"] == "9780141439518"
    assert answer.structured_content["genre"] == "novel"


async def test_an_answer_can_be_given(shop: Any, fake: FakeUpstream) -> None:
    def book(received: Received) -> Any:
        return {"isbn": received.arguments["isbn"], "title": "Emma"}

    fake.answer("get_book", book)
    fake.answer("remove_book", Reply.of_problem(409, "Lent out"))
    async with shop() as source:
        got = await source.call_tool(Call(name="get_book", arguments={"isbn": "9780141439600"}))
        lent = await failure(source, "remove_book", isbn="9780141439600")

    assert got.structured_content == {"isbn": "9780141439600", "title": "Emma"}
    assert (lent.status, lent.details["problem"]["title"]) == (409, "Lent out")


def test_an_answer_for_what_is_not_there_is_told(fake: FakeUpstream) -> None:
    with pytest.raises(ConfigError, match="has no 'get_boook'; it has: list_books"):
        fake.answer("get_boook", {})


WRONG: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/nowhere", {}, 404, "is no path of the description"),
    ("PATCH", "/books", {}, 405, "the description has GET, POST there"),
    ("GET", "/books?limit=999", {}, 400, "query limit: expected at most 50"),
    ("GET", "/books?limit=ten", {}, 400, "query limit: expected"),
    ("GET", "/books?colour=red", {}, 400, "query colour: the description declares none"),
    ("GET", "/books/12", {}, 400, "path isbn: expected text that matches"),
    ("POST", "/orders", {}, 400, "body: is required, and was not sent"),
    ("POST", "/orders", {"json": {"isbn": "9780141439518"}}, 400, "body/customer: expected"),
    ("POST", "/orders", {"content": b"{", "headers": {"content-type": "application/json"}}, 400, "body: is no JSON"),
    ("POST", "/orders", {"data": {"a": "b"}}, 400, "application/json is expected"),
    ("DELETE", "/books/9780141439518", {"json": 1}, 400, "body: this operation takes none"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=[each[-1] for each in WRONG])
async def test_what_the_description_does_not_allow_is_refused_and_told(
    fake: FakeUpstream, wrong: tuple[str, str, dict[str, Any], int, str]
) -> None:
    method, path, sent, status, words = wrong
    async with httpx2.AsyncClient(transport=fake.transport, base_url="http://fake.test") as client:
        answer = await client.request(method, path, **sent)

    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert words in fake.problems[0]


async def test_the_paths_of_the_descriptions_servers_are_known() -> None:
    raw: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}}
    raw |= {
        "servers": [{"url": "https://api.test/v2/"}],
        "paths": {"/a": {"get": {"operationId": "a", "responses": {}}}},
    }
    fake = FakeUpstream.from_openapi(raw)
    async with httpx2.AsyncClient(transport=fake.transport, base_url="http://fake.test") as client:
        assert [(await client.get(path)).status_code for path in ("/v2/a", "/a", "/v3/a")] == [200, 200, 404]


STYLES: dict[str, Any] = {
    "in": [
        {"name": "p", "in": "path", "required": True, "schema": {"type": "array", "items": {"type": "integer"}}},
        {"name": "form", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
        {"name": "flat", "in": "query", "explode": False, "schema": {"type": "array", "items": {"type": "string"}}},
        {"name": "pipe", "in": "query", "style": "pipeDelimited", "explode": False, "schema": {"type": "array"}},
        {"name": "space", "in": "query", "style": "spaceDelimited", "explode": False, "schema": {"type": "array"}},
        {"name": "deep", "in": "query", "style": "deepObject",
         "schema": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}},
        {"name": "open", "in": "query", "schema": {"type": "object", "properties": {"x": {"type": "boolean"}}}},
        {"name": "json", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}},
        {"name": "X-H", "in": "header", "schema": {"type": "array", "items": {"type": "number"}}},
        {"name": "c", "in": "cookie", "schema": {"type": "string"}},
        {"name": "text", "in": "query", "schema": {"type": "string"}},
    ],
    "arguments": {
        "p": [1, 2], "form": ["a,b", "c&d"], "flat": ["a,b", "c d"], "pipe": ["x", "y"], "space": ["x", "y"],
        "deep": {"a": 1, "b": "2"}, "open": {"x": True}, "json": {"k": [1]}, "X-H": [1.5, 2], "c": "v", "text": "007",
    },
}  # fmt: skip


def test_the_styles_of_parameters_are_read_back_as_they_were_meant() -> None:
    operation: dict[str, Any] = {"operationId": "op", "parameters": STYLES["in"], "responses": {}}
    raw: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a/{p}": {"get": operation}},
    }
    fake = FakeUpstream.from_openapi(raw)
    request = build_request(read_operations(Document.parse(raw))[0], STYLES["arguments"], base_url="http://fake.test")
    with httpx2.Client() as client, fake.running() as url:
        answer = client.send(client.build_request("GET", url + request.url.raw_path.decode(), headers=request.headers))

    assert (answer.status_code, fake.problems) == (200, [])
    assert fake.received[0].arguments == STYLES["arguments"]


def test_forms_are_read_back(fake: FakeUpstream) -> None:
    schema = {
        "type": "object",
        "required": ["n"],
        "properties": {"n": {"type": "integer"}, "tags": {"type": "array"}, "o": {"type": "object"}},
    }
    body: dict[str, Any] = {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}
    operation = {"operationId": "op", "requestBody": body, "responses": {"204": {"description": "done"}}}
    raw = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"post": operation}}}
    form = FakeUpstream.from_openapi(raw)
    with httpx2.Client() as client, form.running() as url:
        good = client.post(f"{url}/a", content=b"n=1&tags=a&tags=b&o=%7B%7D", headers=FORM)
        bad = client.post(f"{url}/a", content=b"n=x", headers=FORM)

    assert (good.status_code, bad.status_code) == (204, 400)
    assert form.received[0].arguments == {"n": 1, "tags": ["a", "b"], "o": {}}


FORM = {"content-type": "application/x-www-form-urlencoded"}


def test_a_real_port_serves_code_that_is_not_asynchronous(fake: FakeUpstream) -> None:
    with fake.running() as url, urllib.request.urlopen(f"{url}/books?limit=2") as answer:
        assert json.loads(answer.read()).keys() == {"books", "total"}
    assert fake.names == ["list_books"]


async def test_a_burst_of_errors_ends(shop: Any, fake: FakeUpstream) -> None:
    fake.next(*[Fault.status(503)] * 2)
    async with shop() as source:
        codes = [(await failure(source)).status, (await failure(source)).status]
        assert error_of(await source.call_tool(Call(name="list_books"))) is None

    assert codes == [503, 503]


async def test_a_rate_limit_says_when_to_come_back(shop: Any, fake: FakeUpstream) -> None:
    fake.always(Fault.rate_limited(7), on="list_orders")
    async with shop() as source:
        limited = await failure(source, "list_orders")
        assert error_of(await source.call_tool(Call(name="list_books"))) is None
        fake.heal()
        assert error_of(await source.call_tool(Call(name="list_orders"))) is None

    assert (limited.status, limited.retry_after, limited.retryable) == (429, 7, True)


async def test_a_connection_that_is_dropped_before_the_answer(shop: Any, fake: FakeUpstream) -> None:
    fake.next(Fault.drop())
    async with shop() as source:
        lost = await failure(source, "place_order", **ORDER)
        assert error_of(await source.call_tool(Call(name="list_books"))) is None

    assert (lost.sent, lost.status) == ("unknown", None)
    assert fake.names == ["place_order", "list_books"]


async def test_a_body_that_is_cut(shop: Any, fake: FakeUpstream) -> None:
    fake.next(Fault.drop(after=5))
    async with shop() as source:
        cut = await failure(source)

    assert (cut.status, cut.sent) == (200, "yes")


async def test_latency_meets_the_deadline(shop: Any, fake: FakeUpstream) -> None:
    fake.next(Fault.slow(60))
    async with shop(deadline=0.3) as source:
        assert (await failure(source)).code == "timeout"


async def test_a_slow_body_meets_the_deadline(shop: Any, fake: FakeUpstream) -> None:
    fake.next(Fault.trickle(0.1))
    async with shop(deadline=0.35) as source:
        assert (await failure(source)).code == "timeout"


async def test_a_body_in_pieces_is_whole_at_the_end(shop: Any, fake: FakeUpstream) -> None:
    fake.answer("list_books", {"books": [], "total": 0})
    fake.next(Fault.trickle(0.001, size=4))
    async with shop() as source:
        answer = await source.call_tool(Call(name="list_books"))

    assert answer.structured_content == {"books": [], "total": 0}


async def test_an_answer_can_be_edited_on_its_way(shop: Any, fake: FakeUpstream) -> None:
    fake.next(Fault.edited(lambda value: {**value, "total": -1}))
    async with shop() as source:
        answer = await source.call_tool(Call(name="list_books"))

    assert answer.structured_content["total"] == -1


async def test_a_cancelled_call_leaves_no_task_in_the_fake(bookshop: str, fake: FakeUpstream) -> None:
    fake.always(Fault.slow(60))
    async with RestSource.from_openapi(bookshop, base_url="http://fake.test", transport=fake.transport) as source:
        before = asyncio.all_tasks()
        task = asyncio.ensure_future(source.call_tool(Call(name="list_books")))
        await fake.arrived()
        task.cancel()
        await asyncio.wait({task}, timeout=5)

    assert task.cancelled()
    assert asyncio.all_tasks() == before


def test_a_fault_of_negative_time_is_refused() -> None:
    with pytest.raises(ConfigError, match="0 or more"):
        Fault.slow(-1)


def test_an_api_has_no_listing_to_change(fake: FakeUpstream) -> None:
    with pytest.raises(ConfigError, match="use from_tools"):
        fake.poison()
