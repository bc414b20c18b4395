"""What `Store` needs of a database: engines to read and to write with, and how to hear of changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncEngine

Changed: TypeAlias = Callable[[float], AbstractAsyncContextManager[Callable[[], Awaitable[None]]]]
"""Takes the seconds that a change may stay unheard. What it gives waits until something may have changed since then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Database:
    """One database. `place` names it in messages, without a password; `wait` is how long a lock is waited for.

    Connections of `reader` can't write. `prepare` makes the file, where there is one. `lock` holds off whoever else
    wants to migrate, to the transaction's end. `tell` says within a transaction that records change with its commit.
    `ambiguous` says whether a failed commit may have been carried out all the same.
    """

    place: str
    wait: float
    reader: AsyncEngine
    writer: AsyncEngine
    changed: Changed
    prepare: Callable[[], None]
    lock: str | None
    tell: str | None
    ambiguous: Callable[[BaseException], bool]
