"""`open_store`: a store by its URL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret

if TYPE_CHECKING:
    from mcpbridge.store.store import Store

WAIT = 10.0
"""Seconds."""

POOL = 10

_FORMS = "write sqlite:///FILE, postgresql://USER:PASSWORD@HOST/DATABASE or :memory:"


def open_store(url: str | Secret, *, wait: float = WAIT, pool: int = POOL) -> Store:
    """The store at this URL, to be entered with `async with`; until then nothing is opened.

    `sqlite:///gateway.db` is a file in the working folder, `sqlite:////var/lib/gateway.db` one by its whole path; it is
    made where it is missing, readable by its owner only. `:memory:` ends with the store. `postgresql://…` is read as
    libpq reads it. Tables are made, and brought up to date, when the store is entered.

    `wait` is how many seconds a lock or a free connection is waited for. `pool` bounds the connections to Postgres.

    Raises: ConfigError for another URL, or where the packages are not installed.
    """
    secret = Secret.of(url)
    scheme, _, rest = secret.reveal().partition("://")
    if wait <= 0 or pool < 1:
        raise ConfigError(f"a store needs wait > 0 and pool >= 1, not {wait!r} and {pool!r}")
    try:
        if scheme in {"postgresql", "postgres"}:
            return _postgres(secret, wait, pool)
        if scheme == ":memory:" or (scheme == "sqlite" and rest in {"", "/", "/:memory:"}):
            return _sqlite(None, wait)
        if scheme == "sqlite" and rest.startswith("/") and not {"?", "#"} & {*rest}:
            return _sqlite(Path(rest[1:]), wait)
    except ModuleNotFoundError as error:
        extra = "postgres" if scheme.startswith("postgres") else "store"
        raise ConfigError(f"a store needs the package {error.name!r}: pip install 'mcpbridge[{extra}]'") from error
    raise ConfigError(f"a store can't be opened by a URL of scheme {scheme[:20]!r}: {_FORMS}")


def _sqlite(path: Path | None, wait: float) -> Store:
    from mcpbridge.store.sqlite import sqlite_database  # noqa: PLC0415 - an optional extra
    from mcpbridge.store.store import Store  # noqa: PLC0415 - an optional extra

    return Store(sqlite_database(path, wait=wait))


def _postgres(url: Secret, wait: float, pool: int) -> Store:
    from mcpbridge.store.postgres import postgres_database  # noqa: PLC0415 - an optional extra
    from mcpbridge.store.store import Store  # noqa: PLC0415 - an optional extra

    return Store(postgres_database(url, wait=wait, pool=pool))
