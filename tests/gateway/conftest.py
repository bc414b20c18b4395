"""A bookshop that runs, records of it, and gateways over one database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcpbridge.demo.local import description, running

Books = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def shop_url() -> Iterator[str]:
    with running() as url:
        yield url


@pytest.fixture(scope="session")
def shop_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gateway") / "bookshop.yaml"
    path.write_text(description(), "utf-8")
    return path


@pytest.fixture
def books(shop_url: str) -> Books:
    """A record with one tool that reads the bookshop, and one that writes."""

    def record(name: str = "books", **fields: Any) -> dict[str, Any]:
        return {
            "name": name,
            "protocol": "rest",
            "base_url": shop_url,
            "operations": [
                {"name": "list_books", "method": "GET", "path": "/books", "query": {"search": {"type": "string"}}},
                {"name": "remove_book", "method": "DELETE", "path": "/books/{isbn}"},
            ],
            **fields,
        }

    return record
