"""A gateway of records that people create and edit, on SQLite and Postgres."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import event

from mcpbridge.errors import ToolNotFound
from mcpbridge.gateway.gateway import Gateway
from mcpbridge.integrations.errors import IntegrationNotFound
from mcpbridge.integrations.record import Integration
from mcpbridge.integrations.registry import Integrations
from mcpbridge.net.guard import ANYWHERE
from mcpbridge.source.answer import error_of
from mcpbridge.store.open import open_store
from mcpbridge.store.store import Store
from mcpbridge.testing.fake import FakeUpstream
from mcpbridge.tools import Call, Caller, Tool
from mcpbridge.vault.keys import LocalKey
from mcpbridge.vault.vault import Vault

Books = Callable[..., dict[str, Any]]
ADA = Caller(tenant="acme", user="ada")
BOB = Caller(tenant="acme", user="bob")
EVE = Caller(tenant="other", user="eve")
KEY = LocalKey(os.urandom(32))
LIST = Call(name="books__list_books", caller=ADA)


@asynccontextmanager
async def replica(store: Store, *system: Integration) -> AsyncGenerator[Gateway]:
    integrations = Integrations(store, Vault(store, [KEY]), system=system)
    async with Gateway(integrations, guard=ANYWHERE) as gateway:
        yield gateway


def registry(gateway: Gateway) -> Integrations:
    assert gateway.integrations is not None
    return gateway.integrations


async def names(gateway: Gateway, caller: Caller = ADA) -> list[str]:
    return [tool.name for tool in await gateway.list_tools(caller)]


async def until(holds: Callable[[], Awaitable[bool]], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - another replica's news: there is no event to wait for
            await asyncio.sleep(0.02)


@pytest.mark.req("INT-09")
async def test_an_integration_is_there_for_its_tenant_and_no_other(store: Store, books: Books) -> None:
    async with replica(store) as gateway:
        await registry(gateway).create(ADA, books())
        await gateway.refresh("acme")

        assert len(await names(gateway)) == 2
        assert error_of(await gateway.call(LIST)) is None
        assert (await names(gateway, EVE), await gateway.statuses(EVE)) == ([], {})
        with pytest.raises(ToolNotFound):
            await gateway.call(Call(name=LIST.name, caller=EVE))
        with pytest.raises(IntegrationNotFound):
            await gateway.reconnect(EVE, "books")


@pytest.mark.req("INT-09", "FLT-32", "GW-07")
async def test_a_change_reaches_another_replica_within_two_seconds(database_url: str, books: Books) -> None:
    stores = open_store(database_url), open_store(database_url)
    async with stores[0], stores[1], replica(stores[0]) as here, replica(stores[1]) as there:
        assert await names(there) == []
        await registry(here).create(ADA, books())
        await until(lambda: _lists(there, 2), 2.0)
        await registry(here).update(ADA, "books", {"tools": {"disabled": ["remove_book"]}})
        await until(lambda: _lists(there, 1), 2.0)
        await registry(here).disable(ADA, "books")
        await until(lambda: _lists(there, 0), 2.0)
        await registry(here).delete(ADA, "books")
        await until(lambda: _knows_nothing(there), 2.0)


async def _lists(gateway: Gateway, count: int) -> bool:
    return len(await gateway.list_tools(ADA)) == count


async def _knows_nothing(gateway: Gateway) -> bool:
    return not await gateway.statuses(ADA)


@pytest.mark.req("GW-02")
async def test_a_call_reads_nothing_from_the_database(store: Store, books: Books) -> None:
    async with replica(store) as gateway:
        await registry(gateway).create(ADA, books(auth={"type": "bearer", "token": "a-token"}))
        await until(lambda: _lists(gateway, 2), 2.0)
        await gateway.call(LIST)
        read: list[str] = []
        hear = _hearing(store, read)
        for _ in range(20):
            assert error_of(await gateway.call(LIST)) is None
        hear()

    assert [statement for statement in read if "revisions" not in statement] == []


def _hearing(store: Store, heard: list[str]) -> Callable[[], None]:
    """Hears every statement; the function given back ends that."""

    def hear(*given: Any) -> None:
        heard.append(given[2])

    engines = {store.database.reader.sync_engine, store.database.writer.sync_engine}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", hear)

    def end() -> None:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", hear)

    return end


async def test_a_stored_credential_is_sent_and_a_new_one_is_used_after_a_change(store: Store) -> None:
    fake = FakeUpstream.from_tools([Tool(name="look", access="read")])
    record: dict[str, Any] = {
        "name": "api",
        "protocol": "rest",
        "operations": [{"name": "look", "method": "GET", "path": "/look"}],
        "auth": {"type": "bearer", "token": "one"},
    }
    async with fake.listening() as url, replica(store) as gateway:
        await registry(gateway).create(ADA, {**record, "base_url": url})
        for token in ("one", "two"):
            await registry(gateway).update(ADA, "api", {"auth": {"type": "bearer", "token": token}})
            await gateway.refresh("acme")
            await gateway.call(Call(name="api__look", caller=ADA))

    assert [each.headers["authorization"] for each in fake.received] == ["Bearer one", "Bearer two"]


@pytest.mark.req("ATK-03")
async def test_a_record_that_somebody_made_leads_to_public_addresses_alone(store: Store, books: Books) -> None:
    fake = FakeUpstream.from_tools([Tool(name="look", access="read")])
    async with fake.listening() as url, Gateway(Integrations(store)) as gateway:
        await registry(gateway).create(ADA, books())
        await registry(gateway).create(ADA, {"name": "up", "protocol": "mcp", "url": f"{url}/mcp"})
        await registry(gateway).create(ADA, {"name": "read", "protocol": "rest", "openapi": f"{url}/api.json"})
        await gateway.refresh("acme")
        failure = error_of(await gateway.call(LIST))
        found = {name: each.code for name, each in (await gateway.statuses(ADA)).items()}
        await gateway.list_tools(ADA)
        found |= {name: each.code for name, each in (await gateway.statuses(ADA)).items()}

    assert failure is not None
    assert failure.code == "address_refused"
    assert (found["up"], found["read"], fake.received) == ("address_refused", "address_refused", [])


async def test_a_tenant_switches_a_system_integration_for_itself_alone(store: Store, books: Books) -> None:
    async with replica(store, Integration(**books())) as gateway:
        await registry(gateway).disable(ADA, "books", reason="not ours")
        await gateway.refresh("acme")

        assert (await names(gateway), len(await names(gateway, EVE))) == ([], 2)
        assert (await gateway.statuses(ADA))["books"].message == "not ours"
        assert (await gateway.statuses(EVE))["books"].code == "unused"
        with pytest.raises(ToolNotFound):
            await gateway.call(LIST)


@pytest.mark.req("ATK-54")
async def test_a_private_integration_can_not_be_told_from_none(store: Store) -> None:
    private = {"name": "mine", "protocol": "mcp", "url": "http://127.0.0.1:9/mcp", "visibility": "private"}
    async with replica(store) as gateway:
        await registry(gateway).create(ADA, {**private, "owner": "ada"})
        await gateway.refresh("acme")

        assert await gateway.statuses(BOB) == {}
        assert [*await gateway.statuses(ADA)] == ["mine"]
        with pytest.raises(ToolNotFound, match="unknown tool 'mine__x'"):
            await gateway.call(Call(name="mine__x", caller=BOB))


async def test_what_did_not_change_keeps_its_connection(store: Store, books: Books) -> None:
    fake = FakeUpstream.from_tools([Tool(name="look", access="read")])
    async with fake.listening() as url, replica(store) as gateway:
        await registry(gateway).create(ADA, {"name": "up", "protocol": "mcp", "url": f"{url}/mcp"})
        await gateway.refresh("acme")
        await gateway.list_tools(ADA)
        await registry(gateway).create(ADA, books())
        await gateway.refresh("acme")
        await gateway.list_tools(ADA)

    assert fake.names.count("server/discover") == 1


@pytest.mark.req("APR-03")
async def test_an_approval_ends_when_the_integration_is_changed(store: Store, books: Books) -> None:
    async with replica(store) as gateway:
        await registry(gateway).create(ADA, books())
        await gateway.refresh("acme")
        before = (await gateway.get_tool("books__remove_book", ADA)).origin.revision
        await registry(gateway).update(ADA, "books", {"headers": {"X-Tenant": "acme"}})
        await gateway.refresh("acme")
        after = (await gateway.get_tool("books__remove_book", ADA)).origin.revision

    assert before != after


async def test_news_of_a_change_reach_who_listens(store: Store, books: Books) -> None:
    async with replica(store) as gateway:
        await registry(gateway).create(ADA, books())
        await gateway.refresh("acme")
        await gateway.list_tools(ADA)
        heard: list[str] = []
        gateway.watch(heard.append)
        await registry(gateway).disable(ADA, "books")
        await gateway.refresh("acme")

    assert "tool" in heard
