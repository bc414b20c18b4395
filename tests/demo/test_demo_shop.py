"""The bookshop is a real API: it answers as its description says, errors included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import yaml
from starlette.routing import Route

from mcpbridge.demo.local import description, running
from mcpbridge.demo.shop import Shop, bookshop

ISBN = "9780141439518"
ORDER = {"isbn": ISBN, "quantity": 2, "customer": {"name": "Ada"}}


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def client(shop: Shop) -> Iterator[httpx2.Client]:
    with running(shop) as url, httpx2.Client(base_url=url) as client:
        yield client


def test_books_are_found_by_words_and_genre(client: httpx2.Client) -> None:
    found = client.get("/books", params={"search": "charles", "genre": "novel"}).json()

    assert [book["title"] for book in found["books"]] == ["A Tale of Two Cities"]


def test_books_that_are_sold_out_can_be_left_out(client: httpx2.Client) -> None:
    found = client.get("/books", params={"in_stock": "true"}).json()

    assert (found["total"], [book for book in found["books"] if not book["stock"]]) == (4, [])


def test_an_order_takes_copies_off_the_shelf_and_cancelling_puts_them_back(client: httpx2.Client, shop: Shop) -> None:
    placed = client.post("/orders", json=ORDER)
    after_order = shop.books[ISBN].stock
    client.post("/orders/1/cancel")

    assert (placed.status_code, placed.headers["location"], after_order) == (201, "/orders/1", 2)
    assert shop.books[ISBN].stock == 4
    assert client.get("/orders", params={"status": "open"}).json() == []


def test_a_book_can_be_added_repriced_and_removed(client: httpx2.Client) -> None:
    book = {"isbn": "9780000000002", "title": "T", "author": "A", "genre": "poetry", "cents": 100}

    assert client.post("/books", json=book).status_code == 201
    assert client.put("/books/9780000000002/price", json={"cents": 250}).json()["cents"] == 250
    assert client.delete("/books/9780000000002").status_code == 204
    assert client.get("/books/9780000000002").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/books/9780000000000", "", 404),
        ("GET", "/books?limit=none", "", 422),
        ("POST", "/books", "{", 400),
        ("POST", "/books", "[]", 422),
        ("POST", "/books", '{"isbn": "9780000000002"}', 422),
        ("POST", "/orders", '{"isbn": "9780141439518"}', 422),
        ("POST", "/orders", '{"isbn": "9780140424386", "customer": {"name": "Ada"}}', 409),
        ("POST", "/orders/7/cancel", "", 404),
        ("PUT", "/books/9780141439518/price", '{"cents": 0}', 422),
    ],
)
def test_a_problem_is_told_as_problem_json(
    client: httpx2.Client, method: str, path: str, content: str, status: int
) -> None:
    answer = client.request(method, path, content=content)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status


def test_the_description_tells_every_route_and_no_other() -> None:
    told: dict[str, Any] = yaml.safe_load(description())["paths"]
    described = {(path, method.upper()) for path, item in told.items() for method in item if method != "parameters"}
    routes = [route for route in bookshop().routes if isinstance(route, Route)]
    served = {(route.path, method) for route in routes for method in (route.methods or set()) - {"HEAD"}}

    assert described == served
