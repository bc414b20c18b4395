"""A gateway goes on from what it has read while its database is away, and follows it again after that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from databases import Postgres
from mcpbridge.gateway.gateway import Gateway
from mcpbridge.integrations.registry import Integrations
from mcpbridge.net.guard import ANYWHERE
from mcpbridge.source.answer import error_of
from mcpbridge.store.errors import StoreError
from mcpbridge.store.open import open_store
from mcpbridge.tools import Call, Caller
from mcpbridge.vault.keys import LocalKey
from mcpbridge.vault.vault import Vault

ADA = Caller(tenant="acme", user="ada")
LIST = Call(name="books__list_books", caller=ADA)


@pytest.mark.req("FLT-25", "GW-07")
async def test_calls_go_on_while_postgres_is_down(
    frail_postgres: Postgres, books: Callable[..., dict[str, Any]]
) -> None:
    async with open_store(frail_postgres.url(), wait=2.0) as store:
        integrations = Integrations(store, Vault(store, [LocalKey(bytes(range(32)))]))
        await integrations.create(ADA, books(auth={"type": "bearer", "token": "a-token"}))
        async with Gateway(integrations, guard=ANYWHERE) as gateway:
            assert error_of(await gateway.call(LIST)) is None
            await asyncio.to_thread(frail_postgres.stop)
            try:
                answers = [error_of(await gateway.call(LIST)) for _ in range(3)]
                listed = await gateway.list_tools(ADA)
                with pytest.raises(StoreError):
                    await integrations.disable(ADA, "books")
            finally:
                await asyncio.to_thread(frail_postgres.start)
            await integrations.disable(ADA, "books")
            async with asyncio.timeout(20):
                while await gateway.list_tools(ADA):  # noqa: ASYNC110 - news by the database: no event to wait for
                    await asyncio.sleep(0.05)

    assert answers == [None] * 3
    assert len(listed) == 2
