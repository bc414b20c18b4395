"""The bookshop: a REST API over a shelf and an order book in memory, with errors as problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Book:
    """A title on the shelf; `cents` is its price in euro cents."""

    isbn: str
    title: str
    author: str
    genre: str
    cents: int
    stock: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """Copies of one book for one customer."""

    number: int
    isbn: str
    quantity: int
    customer: Mapping[str, str]
    status: str = "open"


class Problem(Exception):
    """Why the shop can't do it, with the HTTP status that says so."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"title": title, "status": status, "detail": detail}


SHELF = (
    Book(isbn="9780141439518", title="Pride and Prejudice", author="Jane Austen", genre="novel", cents=899, stock=4),
    Book(
        isbn="9780141439600", title="A Tale of Two Cities", author="Charles Dickens", genre="novel", cents=999, stock=2
    ),
    Book(isbn="9780140434941", title="The Origin of Species", author="Charles Darwin", genre="science", cents=1299),
    Book(isbn="9780140455526", title="The Histories", author="Herodotus", genre="history", cents=1399, stock=3),
    Book(isbn="9780140424386", title="Leaves of Grass", author="Walt Whitman", genre="poetry", cents=1099, stock=0),
)


def _by_isbn() -> dict[str, Book]:
    return {book.isbn: book for book in SHELF}


@dataclass(kw_only=True, slots=True)
class Shop:
    """The shelf by ISBN and the orders by number; every method raises `Problem` for what can't be done."""

    books: dict[str, Book] = field(default_factory=_by_isbn)
    orders: dict[int, Order] = field(default_factory=dict[int, Order])

    def search(self, words: str, genre: str, *, in_stock: bool) -> list[Book]:
        """The books that fit, by title."""
        found = (
            book
            for book in self.books.values()
            if words.lower() in f"{book.title} {book.author}".lower()
            and genre in ("", book.genre)
            and (book.stock or not in_stock)
        )
        return sorted(found, key=lambda book: book.title)

    def book(self, isbn: str) -> Book:
        """One book."""
        if isbn not in self.books:
            raise Problem(404, "No such book", f"There is no book with the ISBN {isbn} on the shelf.")
        return self.books[isbn]

    def add(self, book: Book) -> Book:
        """Puts a new book on the shelf."""
        if book.isbn in self.books:
            raise Problem(409, "Already there", f"The ISBN {book.isbn} is on the shelf.")
        self.books[book.isbn] = book
        return book

    def order(self, isbn: str, quantity: int, customer: Mapping[str, str]) -> Order:
        """Takes copies off the shelf for a customer."""
        book = self.book(isbn)
        if book.stock < quantity:
            raise Problem(409, "Not enough copies", f"{book.title} has {book.stock} copies left, not {quantity}.")
        self.books[isbn] = replace(book, stock=book.stock - quantity)
        placed = Order(number=len(self.orders) + 1, isbn=isbn, quantity=quantity, customer=customer)
        self.orders[placed.number] = placed
        return placed

    def cancel(self, number: int) -> Order:
        """Puts the copies of an open order back."""
        order = self.orders.get(number)
        if order is None:
            raise Problem(404, "No such order", f"There is no order {number}.")
        if order.status != "open":
            raise Problem(409, "Not open", f"Order {number} is {order.status}.")
        if order.isbn in self.books:
            book = self.books[order.isbn]
            self.books[order.isbn] = replace(book, stock=book.stock + order.quantity)
        self.orders[number] = replace(order, status="cancelled")
        return self.orders[number]


def bookshop(shop: Shop | None = None) -> Starlette:
    """The API of one shop, as an ASGI app; without a shop it opens a new one with five titles."""
    shop = shop or Shop()

    async def list_books(request: Request) -> Response:
        wanted = request.query_params
        in_stock = wanted.get("in_stock") == "true"
        found = shop.search(wanted.get("search", ""), wanted.get("genre", ""), in_stock=in_stock)
        shown = [asdict(book) for book in found[: _number(wanted.get("limit", "10"), "limit")]]
        return JSONResponse({"books": shown, "total": len(found)})

    async def add_book(request: Request) -> Response:
        return JSONResponse(asdict(shop.add(_book(await _body(request)))), 201)

    async def get_book(request: Request) -> Response:
        return JSONResponse(asdict(shop.book(request.path_params["isbn"])))

    async def remove_book(request: Request) -> Response:
        del shop.books[shop.book(request.path_params["isbn"]).isbn]
        return Response(status_code=204)

    async def set_price(request: Request) -> Response:
        book = shop.book(request.path_params["isbn"])
        cents = _number((await _body(request)).get("cents"), "cents")
        shop.books[book.isbn] = replace(book, cents=cents)
        return JSONResponse(asdict(shop.books[book.isbn]))

    async def list_orders(request: Request) -> Response:
        status = request.query_params.get("status", "")
        newest = sorted(shop.orders.values(), key=lambda order: -order.number)
        return JSONResponse([asdict(order) for order in newest if status in ("", order.status)])

    async def place_order(request: Request) -> Response:
        body = await _body(request)
        customer = body.get("customer")
        if not isinstance(customer, dict) or "name" not in customer:
            raise Problem(422, "Who is it for?", "customer.name is missing.")
        quantity = _number(body.get("quantity", 1), "quantity")
        order = shop.order(str(body.get("isbn")), quantity, cast("dict[str, str]", customer))
        return JSONResponse(asdict(order), 201, headers={"Location": f"/orders/{order.number}"})

    async def cancel_order(request: Request) -> Response:
        return JSONResponse(asdict(shop.cancel(_number(request.path_params["number"], "number"))))

    return Starlette(
        routes=[
            Route("/books", list_books, methods=["GET"]),
            Route("/books", add_book, methods=["POST"]),
            Route("/books/{isbn}", get_book, methods=["GET"]),
            Route("/books/{isbn}", remove_book, methods=["DELETE"]),
            Route("/books/{isbn}/price", set_price, methods=["PUT"]),
            Route("/orders", list_orders, methods=["GET"]),
            Route("/orders", place_order, methods=["POST"]),
            Route("/orders/{number}/cancel", cancel_order, methods=["POST"]),
        ],
        exception_handlers={Problem: _problem},
    )


async def _problem(request: Request, error: Exception) -> Response:  # noqa: ARG001  (Starlette's signature)
    problem = cast("Problem", error)
    return JSONResponse(problem.body, problem.status, media_type="application/problem+json")


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise Problem(400, "Not JSON", f"The body can't be read: {error}.") from error
    if not isinstance(body, dict):
        raise Problem(422, "Not an object", "The body has to be a JSON object.")
    return cast("dict[str, Any]", body)


def _number(value: object, name: str) -> int:
    try:
        number = int(str(value))
    except ValueError as error:
        raise Problem(422, "Not a number", f"{name} has to be a whole number.") from error
    if number < 1:
        raise Problem(422, "Too small", f"{name} has to be at least 1.")
    return number


def _book(body: Mapping[str, Any]) -> Book:
    try:
        return Book(
            **{name: body[name] for name in ("isbn", "title", "author", "genre", "cents")}, stock=body.get("stock", 1)
        )
    except KeyError as error:
        raise Problem(422, "Something is missing", f"{error.args[0]} is missing.") from error
