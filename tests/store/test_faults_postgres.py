"""Real faults of a Postgres: killed connections, a restart, no connection left, read-only, full, unreachable."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from contract import Things, words_of
from mcpbridge.audit.stored import StoreSink
from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret
from mcpbridge.source.answer import error_of
from mcpbridge.store.changes import changes, revisions_of
from mcpbridge.store.errors import (
    StoreBusy,
    StoreError,
    StoreFull,
    StoreOutcomeUnknown,
    StoreReadOnly,
    StoreUnavailable,
)
from mcpbridge.store.open import open_store
from mcpbridge.store.store import Store
from mcpbridge.tools import Call
from mcpbridge.wrap.audit import Audit
from mcpbridge.wrap.audit_log import AuditLog

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from databases import Postgres

KILL_THE_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
DIE = """
CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$
"""
DIE_AT_COMMIT = """
CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON revisions
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()
"""
FORBID_WRITES = """
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$
"""


async def touch(store: Store, tenant: str = "acme") -> int:
    return await store.transact(lambda connection: store.touch(connection, tenant))


async def run(store: Store, *statements: str) -> None:
    async with store.write() as connection:
        for statement in statements:
            await connection.execute(text(statement))


@pytest.mark.req("FLT-25")
async def test_a_connection_that_is_killed_within_a_transaction_leaves_nothing(postgres_url: str) -> None:
    async def killed(connection: AsyncConnection) -> None:
        await store.touch(connection, "acme")
        await run(other, KILL_THE_OTHERS)
        await store.touch(connection, "acme")

    async with open_store(postgres_url) as store, open_store(postgres_url) as other:
        with pytest.raises(StoreUnavailable, match="connection failed"):
            async with store.write() as connection:
                await killed(connection)
        assert await revisions_of(store) == {}


@pytest.mark.req("FLT-25")
async def test_work_that_was_killed_before_its_commit_is_done_again(postgres_url: str) -> None:
    tries = list[int]()

    async def work(connection: AsyncConnection) -> int:
        tries.append(1)
        await store.touch(connection, "acme")
        if len(tries) == 1:
            await run(other, KILL_THE_OTHERS)
        return await store.touch(connection, "acme")

    async with open_store(postgres_url) as store, open_store(postgres_url) as other:
        assert await store.transact(work) == 2

    assert len(tries) == 2


@pytest.mark.req("FLT-25")
async def test_a_commit_whose_outcome_is_unknown_is_never_done_again(postgres_url: str) -> None:
    tries = list[int]()

    async def work(connection: AsyncConnection) -> int:
        tries.append(1)
        return await store.touch(connection, "acme")

    async with open_store(postgres_url) as store:
        await run(store, DIE, DIE_AT_COMMIT)
        with pytest.raises(StoreOutcomeUnknown, match="read what stands"):
            await store.transact(work)

    assert len(tries) == 1


@pytest.mark.req("FLT-25")
async def test_no_connection_left_is_a_typed_error(postgres_url: str) -> None:
    async with open_store(postgres_url, wait=0.1, pool=1) as store:
        async with store.write():
            with pytest.raises(StoreBusy):
                await touch(store)
        assert await touch(store) == 1


@pytest.mark.req("FLT-25")
async def test_a_restart_is_a_typed_error_then_all_goes_on_and_no_change_is_missed(frail_postgres: Postgres) -> None:
    async with open_store(frail_postgres.url()) as store, aclosing(changes(store, since={}, interval=0.05)) as heard:
        await touch(store)
        assert (await anext(heard)).revision == 1
        change = asyncio.ensure_future(anext(heard))
        frail_postgres.stop()
        with pytest.raises(StoreUnavailable):
            await touch(store)
        frail_postgres.start()
        assert await touch(store) == 2
        async with asyncio.timeout(10):
            assert (await change).revision == 2


@pytest.mark.req("FLT-25", "AUD-01")
async def test_while_the_store_is_down_writes_are_refused_reads_go_on_and_all_is_recorded_later(
    frail_postgres: Postgres,
) -> None:
    async with open_store(frail_postgres.url()) as store:
        sink, things = StoreSink(store), Things()
        async with Audit(things, AuditLog(sink, retry=0.05)) as source:
            frail_postgres.stop()
            failure = error_of(await source.call(Call(name="write_it")))
            assert words_of(await source.call(Call(name="read_it"))) == "things did read_it"
            frail_postgres.start()
            assert words_of(await source.call(Call(name="write_it"))) == "things did write_it"
        assert failure
        assert failure.code == "audit_unavailable"
        assert [call.name for call in things.calls] == ["read_it", "write_it"]
        assert await sink.verify() == []
        assert [end.number for end in await sink.ends() if end.writer == sink.writer] == [5]


@pytest.mark.req("FLT-26")
async def test_a_read_only_server_can_be_read(postgres_url: str) -> None:
    async with open_store(postgres_url) as store:
        await touch(store)
        await run(store, FORBID_WRITES)
    async with open_store(postgres_url) as store:
        with pytest.raises(StoreReadOnly):
            await touch(store)
        assert await revisions_of(store) == {"acme": 1}


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("53100", StoreFull),
        ("40P01", StoreBusy),
        ("40001", StoreBusy),
        ("57P03", StoreUnavailable),
        ("42P01", StoreError),
    ],
)
@pytest.mark.req("FLT-26")
async def test_what_the_server_says_is_told_by_type(postgres_url: str, state: str, error: type[StoreError]) -> None:
    async with open_store(postgres_url) as store:
        with pytest.raises(StoreError) as raised:
            await run(store, f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")

    assert type(raised.value) is error


async def test_a_lock_that_lasts_is_a_typed_error(postgres_url: str) -> None:
    async with open_store(postgres_url, wait=0.1) as store, store.write() as connection:
        await store.touch(connection, "acme")
        with pytest.raises(StoreBusy):
            await touch(store)


async def test_what_cannot_be_reached_is_a_clear_error_without_the_password() -> None:
    with pytest.raises(StoreUnavailable, match="check that the server runs") as raised:
        async with open_store(Secret("postgresql://ada:hunter2@127.0.0.1:9/db")):
            pass

    assert "hunter2" not in repr(raised.value)


async def test_a_database_that_is_not_there_is_a_clear_error(postgres: Postgres) -> None:
    with pytest.raises(StoreUnavailable, match="refused the user, the password or the database"):
        async with open_store(postgres.url("none")):
            pass


async def test_a_url_that_is_wrong_is_a_clear_error_without_the_password() -> None:
    with pytest.raises(ConfigError, match="can't be read") as raised:
        async with open_store("postgresql://ada:hunter2@host:port/db"):
            pass

    assert "hunter2" not in repr(raised.value)
