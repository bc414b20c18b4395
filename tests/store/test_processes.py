"""Four real processes on one database."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mcpbridge.audit.stored import StoreSink
from mcpbridge.store.changes import revisions_of
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import schema_version

REPLICA = Path(__file__).with_name("replica.py")
COUNT = 25


async def replicas(url: str) -> list[int]:
    """The revisions that four replicas made, on a database that none of them had found ready."""
    command = [sys.executable, str(REPLICA), url, str(COUNT)]
    processes = [await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE) for _ in range(4)]
    async with asyncio.timeout(60):
        told = [await process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    return [int(line) for out, _ in told for line in out.split()]


@pytest.mark.req("FLT-24", "FLT-27", "AUD-01")
async def test_four_processes_migrate_once_lose_no_update_and_audit_each_its_own_chain(database_url: str) -> None:
    made = await replicas(database_url)

    assert sorted(made) == [*range(1, 4 * COUNT + 1)]
    async with open_store(database_url) as store:
        assert await revisions_of(store) == {"acme": 4 * COUNT}
        sink = StoreSink(store)
        assert [end.number for end in await sink.ends()] == [COUNT] * 4
        assert await sink.verify() == []
        async with store.read() as connection:
            assert await connection.scalar(select(func.count()).select_from(schema_version)) == 1
