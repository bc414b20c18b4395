"""SQLite, by aiosqlite: write-ahead log, one writer at a time, a file that only its owner can read."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from mcpbridge.errors import ConfigError
from mcpbridge.store.database import Database
from mcpbridge.store.errors import StoreUnavailable

logger = logging.getLogger(__name__)

OLDEST = (3, 36)
"""`RETURNING`, `ON CONFLICT` and databases in memory that connections share."""

READERS = 4


def sqlite_database(path: Path | None, *, wait: float) -> Database:
    """The file's database, or one in memory that ends with its store. `wait` is how long a lock is waited for."""
    if sqlite3.sqlite_version_info < OLDEST:
        raise ConfigError(f"SQLite {sqlite3.sqlite_version} is too old for a store: install 3.36 or later")
    engine = partial(_engine, _url(path), wait=wait, log="wal" if path else "memory")
    reader = engine(size=READERS, only="query_only = 1", begin="BEGIN")
    return Database(
        place="in memory" if path is None else repr(str(path)),
        wait=wait,
        reader=reader,
        writer=engine(size=1, only="synchronous = FULL", begin="BEGIN IMMEDIATE"),
        changed=partial(_changed, reader),
        prepare=_nothing if path is None else partial(_make, path),
        lock=None,
        tell=None,
        ambiguous=_ambiguous,
    )


def _url(path: Path | None) -> URL:
    if path is not None:
        return URL.create("sqlite+aiosqlite", database=str(path.absolute()))
    shared = {"vfs": "memdb", "uri": "true"}  # all connections of this process that know the name see one database
    return URL.create("sqlite+aiosqlite", database=f"file:/mcpbridge-{secrets.token_hex(8)}", query=shared)


def _engine(url: URL, *, wait: float, log: str, size: int, only: str, begin: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        connect_args={"isolation_level": None, "timeout": wait},
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=wait,
        hide_parameters=True,
    )

    def connect(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in ("foreign_keys = ON", f"journal_mode = {log}", only):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", connect)
    event.listen(engine.sync_engine, "begin", start)
    return engine


def _make(path: Path) -> None:
    """The file, with mode 0600; SQLite gives the files beside it the same. Raises: StoreUnavailable."""
    try:
        path.touch(0o600, exist_ok=False)
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            logger.warning("the store %r can be read by other users: run chmod 600 on it", str(path))
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise StoreUnavailable(f"the store {str(path)!r} can't be made ({why}): look at its folder") from error


def _nothing() -> None:
    """Prepares a database in memory."""


@asynccontextmanager
async def _changed(reader: AsyncEngine, seconds: float) -> AsyncGenerator[Callable[[], Awaitable[None]]]:
    """SQLite counts what other connections write (PRAGMA data_version); the count is looked at so often."""
    async with reader.connect() as connection:

        async def count() -> object:
            async with connection.begin():
                return await connection.scalar(text("PRAGMA data_version"))

        before = await count()

        async def changed() -> None:
            nonlocal before
            now = before
            while now == before:  # nothing tells of another process's writes: the count has to be looked at
                await asyncio.sleep(seconds)
                now = await count()
            before = now

        yield changed


def _ambiguous(error: BaseException) -> bool:
    """A commit that failed to reach the disk may still be found there; one that was refused room or the lock is not."""
    name = str(getattr(getattr(error, "orig", None), "sqlite_errorname", ""))
    return name.startswith("SQLITE_IOERR") and name not in {"SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE"}
