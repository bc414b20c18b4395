"""Postgres, by asyncpg, that holds what replicas share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any

import asyncpg
from sqlalchemy import ExceptionContext, event
from sqlalchemy.ext.asyncio import create_async_engine

from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret
from mcpbridge.store.database import Database
from mcpbridge.store.errors import StoreUnavailable

CHANNEL = "mcpbridge"
CONNECT_SECONDS = 5.0
STATEMENT_SECONDS = 60.0
"""A server that does not answer for so long is given up."""

PLACE = "on Postgres"

UNREACHABLE = f"the store {PLACE} can't be reached, or fell silent: check that the server runs, then try again"

UNHEARD = 30
"""A listening connection that is silent for so many times the interval is looked after: it may be dead."""


def postgres_database(url: Secret, *, wait: float, pool: int) -> Database:
    """The server's database. The URL is read by asyncpg, as libpq reads it: `sslmode`, `host=/socket` and the like.

    `wait` is how long a lock or a free connection is waited for; `pool` is how many connections there may be.

    Raises: ConfigError.
    """
    connect = partial(_connect, url, wait)
    writer = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=wait,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    event.listen(writer.sync_engine, "handle_error", _lost)
    return Database(
        place=PLACE,
        wait=wait,
        reader=writer.execution_options(postgresql_readonly=True),
        writer=writer,
        changed=partial(_changed, connect),
        prepare=_nothing,
        lock="SELECT pg_advisory_xact_lock(7165918304529163)",
        tell=f"SELECT pg_notify('{CHANNEL}', '')",
        ambiguous=_ambiguous,
    )


async def _connect(url: Secret, wait: float) -> asyncpg.Connection[Any]:
    settings = {"application_name": "mcpbridge", "lock_timeout": f"{max(1, round(wait * 1000))}ms"}
    try:
        with _reached():
            return await asyncpg.connect(
                url.reveal(), timeout=CONNECT_SECONDS, command_timeout=STATEMENT_SECONDS, server_settings=settings
            )
    except (asyncpg.ClientConfigurationError, ValueError) as error:
        raise ConfigError(
            f"the store's URL can't be read ({type(error).__name__}): write postgresql://USER:PASSWORD@HOST/DATABASE"
        ) from None


def _nothing() -> None:
    """Prepares nothing: the server has its database."""


@asynccontextmanager
async def _changed(
    connect: Callable[[], Awaitable[Any]], seconds: float
) -> AsyncGenerator[Callable[[], Awaitable[None]]]:
    """A connection that listens. It is asked now and then whether it lives."""
    connection = await connect()
    heard = asyncio.Event()

    def hear(*_: object) -> None:
        heard.set()

    async def changed() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(heard.wait(), seconds * UNHEARD)
        heard.clear()
        with _reached():
            await connection.execute("SELECT 1", timeout=CONNECT_SECONDS)

    connection.add_termination_listener(hear)
    try:
        with _reached():
            await connection.add_listener(CHANNEL, hear)
        yield changed
    finally:
        connection.terminate()


@contextmanager
def _reached() -> Generator[None]:
    """Raises: StoreUnavailable, for what asyncpg raises on its own account and the network on its."""
    try:
        yield
    except (OSError, asyncpg.InterfaceError) as error:
        raise StoreUnavailable(UNREACHABLE) from error


def _lost(context: ExceptionContext) -> BaseException | None:
    """What is raised instead of an error of the network, which SQLAlchemy lets through as it is."""
    lost = isinstance(context.original_exception, OSError)
    return StoreUnavailable(UNREACHABLE) if lost else None


def _ambiguous(error: BaseException) -> bool:
    """Where the server refused the commit it was not carried out; where it fell silent or went away, nobody knows."""
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return state is None or state[:2] in {"08", "57", "58", "XX"}
