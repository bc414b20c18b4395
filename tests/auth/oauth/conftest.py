"""An authorization server, and a store of this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from authority import Authority, running_authority
from mcpbridge.store.open import open_store
from mcpbridge.store.store import Store


@pytest.fixture(scope="session")
def running() -> Iterator[Authority]:
    """The server of this session, which tests take as `authority`."""
    with running_authority() as authority:
        yield authority


@pytest.fixture
def authority(running: Authority) -> Authority:
    """A real authorization server on a loopback port, that knows nobody yet."""
    running.__init__(url=running.url)  # type: ignore[misc] # all of its fields are as in the beginning
    return running


@pytest.fixture
async def memory() -> AsyncIterator[Store]:
    """An open store of this process alone, for what does not depend on the database."""
    async with open_store(":memory:") as store:
        yield store
