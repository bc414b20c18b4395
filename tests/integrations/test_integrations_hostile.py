"""What somebody may try through the management functions to hurt others, or to get around the host's rules."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mcpbridge.audit.stored import StoreSink
from mcpbridge.errors import BridgeError
from mcpbridge.integrations import storage
from mcpbridge.integrations.errors import IntegrationNotFound, InvalidRecord, NotAllowed
from mcpbridge.integrations.hooks import Management
from mcpbridge.integrations.record import Integration, read_integration
from mcpbridge.integrations.registry import Integrations
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import secrets
from mcpbridge.store.store import Store
from mcpbridge.tools import Caller
from mcpbridge.vault.errors import SecretRefused
from mcpbridge.vault.keys import LocalKey
from mcpbridge.vault.vault import Vault
from mcpbridge.wrap.audit_event import AuditEvent

ADA = Caller(tenant="acme", user="ada")
EVE = Caller(tenant="evil", user="eve")
HAND: dict[str, Any] = {"name": "hand", "protocol": "rest", "base_url": "https://hand.example"}
REST: dict[str, Any] = {"name": "tickets", "protocol": "rest", "openapi": "https://tickets.example/openapi.json"}
SEALED: dict[str, Any] = {**REST, "auth": {"type": "bearer", "token": "s3same"}}


def deep(levels: int) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for _ in range(levels):
        nested = {"a": nested}
    return nested


def asking(value: Any) -> dict[str, Any]:
    """A record with one operation whose query has this default."""
    query = {"q": {"type": "string", "default": value}}
    return {**HAND, "operations": [{"name": "get", "method": "GET", "path": "/get", "query": query}]}


@pytest.fixture
async def memory() -> AsyncIterator[Store]:
    async with open_store(":memory:") as opened:
        yield opened


@pytest.mark.req("ATK-14", "INT-02")
@pytest.mark.parametrize(
    "record",
    [
        {**REST, "limits": {"deadline": math.inf}},
        {**REST, "limits": {"page": 1e400}},
        {**REST, "openapi": "./a\0.json"},
        {**HAND, "protocol": "mcp", "url": "https://x.example", "args": ["\ud800"]},
        *map(
            asking, (math.nan, math.inf, "\0", "\ud800", 10**5000, deep(70), deep(5000), {1}, b"x", {1: 2}, {"\0": 1})
        ),
    ],
)
async def test_no_record_can_spoil_the_queries_of_others(store: Store, record: dict[str, Any]) -> None:
    kept = Integrations(store, child=lambda _: True)
    await kept.create(ADA, REST)
    with pytest.raises(InvalidRecord):
        await kept.create(EVE, record)

    assert [each.name for each in await kept.list(ADA)] == ["tickets"]


def test_what_can_not_be_kept_is_named_where_it_stands() -> None:
    with pytest.raises(InvalidRecord, match=r"operations\.0\.query\.q\.default: is inf, which JSON does not have"):
        read_integration(asking(math.inf))


@pytest.mark.parametrize("value", [10**30, 1.5, True, None, "ü\n", [{"a": [1]}], deep(50)])
def test_what_json_has_is_kept(value: Any) -> None:
    record: Any = Integration(**asking(value))

    assert record.operations[0].query["q"]["default"] == value


@pytest.mark.req("INT-08")
async def test_a_rule_on_one_integration_can_not_be_passed_by_its_id(memory: Store) -> None:
    def rule(_: Caller, wanted: Management) -> bool:
        return wanted.name != "tickets" or wanted.action == "create"

    kept = Integrations(memory, authorize=rule)
    made = await kept.create(ADA, REST)
    for name in ("tickets", made.id):
        for work in (kept.get(ADA, name), kept.update(ADA, name, {"trusted": True}), kept.delete(ADA, name)):
            with pytest.raises(NotAllowed):
                await work


@pytest.mark.req("ATK-54")
@pytest.mark.parametrize("name", ["a\0b", "int_\0", "\ud800", "", "x" * 100_000, None, 5])
async def test_a_name_that_none_can_have_is_as_one_that_does_not_exist(store: Store, name: Any) -> None:
    with pytest.raises(IntegrationNotFound, match="unknown integration"):
        await Integrations(store).get(ADA, name)


@pytest.mark.parametrize("given", [None, "tickets", ["name"], {1: 2}])
async def test_what_is_no_object_is_refused(memory: Store, given: Any) -> None:
    kept = Integrations(memory)
    with pytest.raises(InvalidRecord):
        await kept.create(ADA, given)
    await kept.create(ADA, REST)
    with pytest.raises(InvalidRecord):
        await kept.update(ADA, "tickets", given)


@pytest.mark.parametrize(
    ("asked", "field"), [({"limit": -1}, "limit"), ({"limit": 10**30}, "limit"), ({"after": "\0"}, "after")]
)
async def test_a_listing_that_can_not_be_asked_for_names_the_field(
    store: Store, asked: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRecord, match=f"{field}: must be"):
        await Integrations(store).list(ADA, **asked)


@pytest.mark.req("INT-02")
@pytest.mark.parametrize("openapi", ["https://", "http://a b/x", "https://ada:s3same@x.example/a.json", "HTTP:x"])
async def test_the_url_of_a_description_is_checked_as_any_other(memory: Store, openapi: str) -> None:
    with pytest.raises(InvalidRecord, match="openapi: must ") as refused:
        await Integrations(memory).create(ADA, {**REST, "openapi": openapi})

    assert "s3same" not in str(refused.value)


@pytest.mark.parametrize("headers", [{"X-A": "1", "x-a": "2"}, {5: "x"}])
def test_headers_that_can_not_be_meant_are_refused(headers: Any) -> None:
    with pytest.raises(InvalidRecord, match="headers: has"):
        read_integration({**REST, "headers": headers})


@pytest.mark.req("VAULT-02")
async def test_a_key_that_is_not_here_says_what_to_add(memory: Store) -> None:
    made = await Integrations(memory, Vault(memory, [LocalKey(bytes(range(32)))])).create(ADA, SEALED)
    other = Integrations(memory, Vault(memory, [LocalKey(bytes(range(64, 96)))]))
    with pytest.raises(SecretRefused, match=r"add that key at the end of the vault's keys$"):
        await other.revealed(made)


async def test_every_refusal_is_of_the_library(memory: Store) -> None:
    kept = Integrations(memory)
    await kept.create(ADA, REST)
    for changes in ({"auth": {"type": ["x"]}}, {"revision": "1"}, {"auth": 5}, {"agents": "*"}, {"self": 1}):
        with pytest.raises(BridgeError):
            await kept.update(ADA, "tickets", changes)


class Held(StoreSink):
    """Holds a transaction open at its end, until it may go on."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    async def record(self, connection: AsyncConnection, *events: AuditEvent) -> None:
        self.reached.set()
        await self.go_on.wait()
        await super().record(connection, *events)


async def until_one_waits_for_a_lock(store: Store) -> None:
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    async with asyncio.timeout(20):
        while True:
            async with store.read() as connection:
                if await connection.scalar(waiting):
                    return


@pytest.mark.req("INT-05")
async def test_a_credential_given_while_its_integration_is_deleted_does_not_outlive_it(postgres_url: str) -> None:
    async with open_store(postgres_url) as store:
        vault, sink = Vault(store, [LocalKey(bytes(range(32)))]), Held(store)
        kept = Integrations(store, vault)
        await kept.create(ADA, REST)
        update = asyncio.create_task(Integrations(store, vault, audit=sink).update(ADA, "tickets", SEALED))
        await sink.reached.wait()
        deletion = asyncio.create_task(kept.delete(ADA, "tickets"))
        await until_one_waits_for_a_lock(store)
        sink.go_on.set()
        await asyncio.gather(update, deletion)

        async with store.read() as connection:
            assert await connection.scalar(select(func.count()).select_from(secrets)) == 0


async def test_who_can_no_longer_see_an_integration_can_not_delete_it(memory: Store) -> None:
    """As where it was made private between its being looked up and deleted."""
    kept = Integrations(memory)
    made = await kept.create(ADA, {**REST, "visibility": "private", "owner": "ada"})
    for caller in (Caller(tenant="acme", user="bob"), EVE):
        async with memory.write() as connection:
            assert await storage.remove(connection, caller, made.id) is None

    assert (await kept.get(ADA, "tickets")).revision == 1
