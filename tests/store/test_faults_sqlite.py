"""Real faults of a SQLite file: locked, full, read-only, no database."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from mcpbridge.store.changes import revisions_of
from mcpbridge.store.errors import StoreBusy, StoreUnavailable
from mcpbridge.store.open import open_store
from mcpbridge.store.store import Store


async def touch(store: Store, tenant: str = "acme") -> int:
    return await store.transact(lambda connection: store.touch(connection, tenant))


def locked(path: Path) -> sqlite3.Connection:
    """Another program's connection, in a transaction that writes."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE revisions SET revision = revision + 1")
    return other


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.mark.req("FLT-24")
async def test_a_lock_is_waited_for_and_no_update_is_lost(path: Path) -> None:
    async with open_store(f"sqlite:///{path}", wait=20.0) as store:
        await touch(store)
        with closing(locked(path)) as other:
            waiting = [asyncio.create_task(touch(store)) for _ in range(5)]
            assert (await asyncio.wait(waiting, timeout=0.3))[0] == set()
            other.execute("COMMIT")
            assert sorted(await asyncio.gather(*waiting)) == [3, 4, 5, 6, 7]


@pytest.mark.req("FLT-24")
async def test_a_lock_that_lasts_is_a_typed_error_and_reads_go_on(path: Path) -> None:
    async with open_store(f"sqlite:///{path}", wait=0.1) as store:
        await touch(store)
        with closing(locked(path)):
            with pytest.raises(StoreBusy, match="another writer holds it"):
                await touch(store)
            assert await revisions_of(store) == {"acme": 1}
        assert await touch(store) == 2


async def test_a_writer_that_does_not_end_is_a_typed_error_too(path: Path) -> None:
    async with open_store(f"sqlite:///{path}", wait=0.05) as store, store.write():
        with pytest.raises(StoreBusy):
            await touch(store)


FAULT = """
import asyncio, os, resource, sys
from mcpbridge.store.changes import revisions_of
from mcpbridge.store.errors import StoreError
from mcpbridge.store.open import open_store

async def touch(store, tenant):
    async with store.write() as connection:
        return await store.touch(connection, tenant)

def full(path):
    size = os.path.getsize(path + "-wal") + 4096
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def read_only(path):
    for name in (path, path + "-wal", path + "-shm"):
        if os.path.exists(name):
            os.chmod(name, 0o444)
    os.chmod(os.path.dirname(path), 0o555)
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
        os.seteuid(65534)

async def main(fault, path):
    async with open_store(f"sqlite:///{path}", wait=0.5) as store:
        await touch(store, "acme")
    async with open_store(f"sqlite:///{path}", wait=0.5) as store:
        if fault == "read_only":
            await revisions_of(store)
            {"full": full, "read_only": read_only}[fault](path)
        else:
            await touch(store, "acme")
            full(path)
        try:
            async with store.write() as connection:
                for number in range(200):
                    await store.touch(connection, f"tenant {number} " + "x" * 500)
        except StoreError as error:
            print(type(error).__name__)
        print(sorted(await revisions_of(store)))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        if fault == "full":
            print(await touch(store, "acme"))

asyncio.run(main(*sys.argv[1:]))
"""


def suffer(fault: str, path: Path) -> list[str]:
    command = [sys.executable, "-c", FAULT, fault, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.req("FLT-26")
@pytest.mark.skipif(os.name != "posix", reason="the limit on a file's size is POSIX's")
def test_a_full_disk_is_a_typed_error_nothing_is_half_written_and_it_recovers(path: Path) -> None:
    assert suffer("full", path) == ["StoreFull", "['acme']", "3"]


@pytest.mark.req("FLT-26")
@pytest.mark.skipif(os.name != "posix", reason="the modes are POSIX's")
def test_a_file_that_became_read_only_can_still_be_read() -> None:
    with tempfile.TemporaryDirectory() as folder:  # one that another user can reach: root may write anything
        assert suffer("read_only", Path(folder) / "store.db") == ["StoreReadOnly", "['acme']"]


async def enter(path: Path) -> None:
    async with open_store(f"sqlite:///{path}"):
        pass


def test_a_file_that_is_no_database_is_a_clear_error_and_stays_as_it_is(path: Path) -> None:
    path.write_text("precious" * 1000)
    with pytest.raises(StoreUnavailable, match="no sound SQLite database"):
        asyncio.run(enter(path))

    assert path.read_text() == "precious" * 1000


async def test_a_folder_that_is_missing_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"\(No such file or directory\): look at its folder"):
        await enter(tmp_path / "none/store.db")


async def test_the_file_and_what_stands_beside_it_can_be_read_by_the_owner_only(path: Path) -> None:
    async with open_store(f"sqlite:///{path}") as store:
        await touch(store)
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}

    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


def test_a_file_that_others_can_read_is_warned_of(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.touch(0o644)
    asyncio.run(enter(path))

    assert "chmod 600" in caplog.text
