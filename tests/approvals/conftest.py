"""Fixtures: approvals in each place that keeps them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from kept import Kept, in_memory, in_store

from mcpbridge.approvals.approvals import Approvals
from mcpbridge.store.store import Store


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place_url(request: pytest.FixtureRequest) -> str | None:
    """Each place in turn: a fresh database, or None for memory."""
    return None if request.param == "memory" else str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def kept(place_url: str | None) -> AsyncIterator[Kept]:
    """Approvals in memory, on SQLite and on Postgres, at most three of each caller."""
    if place_url is None:
        yield in_memory(limit=3)
        return
    async with in_store(place_url, limit=3) as found:
        yield found


@pytest.fixture
async def approvals(store: Store) -> Approvals:
    """Approvals on a fresh database of each kind."""
    return Approvals(store, interval=0.05)
