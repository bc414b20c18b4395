"""What a database's error means: the `StoreError` for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnection

from mcpbridge.errors import BridgeError
from mcpbridge.store.errors import (
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
)

Meaning: TypeAlias = tuple[type[StoreError], str]

BUSY: Meaning = (StoreBusy, "another writer holds it; try again, or find the transaction that does not end")
UNREACHABLE: Meaning = (StoreUnavailable, "the connection failed; check that the database runs, then try again")
READ_ONLY: Meaning = (StoreReadOnly, "it is read-only; check the file's owner and mode, or which server is the primary")
FULL: Meaning = (StoreFull, "it can't grow; free space on its disk, or raise its quota, then try again")
BROKEN: Meaning = (StoreUnavailable, "the file is no sound SQLite database; restore it from a backup")
REFUSED: Meaning = (StoreUnavailable, "the server refused the user, the password or the database's name; check the URL")
TAKEN: Meaning = (StoreConflict, "a record with this key is there already, or what it belongs to is gone")
FAULTY: Meaning = (StoreError, "the database refused the statement; this is a fault of the program")

_SQLITE: Mapping[str, Meaning] = {
    "SQLITE_BUSY": BUSY,
    "SQLITE_LOCKED": BUSY,
    "SQLITE_READONLY": READ_ONLY,
    "SQLITE_PERM": READ_ONLY,
    "SQLITE_FULL": FULL,
    "SQLITE_IOERR_WRITE": FULL,
    "SQLITE_IOERR_SHMSIZE": FULL,
    "SQLITE_IOERR_TRUNCATE": FULL,
    "SQLITE_IOERR": UNREACHABLE,
    "SQLITE_CANTOPEN": UNREACHABLE,
    "SQLITE_NOTADB": BROKEN,
    "SQLITE_CORRUPT": BROKEN,
}
"""By the name of the extended code, else by its first two words (https://sqlite.org/rescode.html)."""

_POSTGRES: Mapping[str, Meaning] = {
    "40": BUSY,
    "55P03": BUSY,
    "53300": BUSY,
    "57014": BUSY,
    "53100": FULL,
    "25006": READ_ONLY,
    "08": UNREACHABLE,
    "53": UNREACHABLE,
    "57": UNREACHABLE,
    "25P03": UNREACHABLE,
    "28": REFUSED,
    "3D": REFUSED,
}
"""By SQLSTATE, else by its class (PostgreSQL, appendix A)."""


def meaning_of(error: BaseException) -> Meaning | None:
    """What went wrong, or None for an error that is not the database's, or was told already."""
    if isinstance(error, BridgeError):
        return None
    if isinstance(error, NoConnection):
        return BUSY
    if isinstance(error, IntegrityError):
        return TAKEN
    for cause in _causes(error):
        if meaning := _by_code(cause):
            return meaning
    if isinstance(error, DBAPIError):
        return UNREACHABLE if error.connection_invalidated else FAULTY
    return None


def store_error(error: BaseException, place: str) -> StoreError | None:
    """The error to raise instead, or None; it holds nothing of the statement or its values."""
    meaning = meaning_of(error)
    return meaning and meaning[0](f"the store {place}: {meaning[1]}")


def _causes(error: BaseException) -> list[BaseException]:
    causes = [error]
    while (inner := getattr(causes[-1], "orig", None) or causes[-1].__cause__) and inner not in causes:
        causes.append(inner)
    return causes


def _by_code(error: BaseException) -> Meaning | None:
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return _POSTGRES.get(state) or _POSTGRES.get(state[:2])
    name = getattr(error, "sqlite_errorname", None)
    if isinstance(name, str):
        return _SQLITE.get(name) or _SQLITE.get("_".join(name.split("_")[:2]))
    return None
