"""`StoreSink`: the audit as a table of the store, so that a change and its record are one transaction."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mcpbridge.audit.chains import ChainCheck
from mcpbridge.errors import ConfigError
from mcpbridge.store.clock import insert_into
from mcpbridge.store.schema import audit, audit_chains
from mcpbridge.store.store import Store
from mcpbridge.wrap.audit_event import START, AuditEntry, AuditEvent, AuditProblem, ChainEnd, chained, end_of

PAGE = 1000


class StoreSink:
    """Writes events into a store, as the chain of one writer: by default a new one for each sink.

    Transactions of one writer that record wait for each other, from `record` to their end: record last. Replicas are
    writers of their own, and do not wait.
    """

    def __init__(self, store: Store, *, writer: str | None = None) -> None:
        if writer is not None and not (writer.isprintable() and 0 < len(writer) <= 100):
            raise ConfigError(f"a writer's name is 1 to 100 printable characters, not {writer[:100]!r}")
        self.store = store
        self.writer = writer or secrets.token_hex(8)
        self._doubt: tuple[Sequence[AuditEvent], ChainEnd] | None = None

    async def record(self, connection: AsyncConnection, *events: AuditEvent) -> None:
        """Writes events in the transaction of this connection: with what they tell of, or not at all."""
        await self._extend(connection, events)

    async def append(self, events: Sequence[AuditEvent]) -> None:
        """Writes events in a transaction of their own, once.

        Raises: StoreError. Where a commit's outcome was unknown and the same events come again, it looks first.
        """
        async with self.store.write() as connection:
            doubt = self._doubt
            if not (doubt and doubt[0] == events and await self._has(connection, doubt[1])):
                self._doubt = (events, await self._extend(connection, events))
        self._doubt = None

    async def ends(self) -> Sequence[ChainEnd]:
        """How far each chain goes. Raises: StoreError."""
        async with self.store.read() as connection:
            rows = await connection.execute(select(audit_chains).order_by(audit_chains.c.writer))
            return [ChainEnd(writer=row.writer, number=row.number, hash=row.hash) for row in rows]

    async def verify(self, *, known: Iterable[ChainEnd] = ()) -> Sequence[AuditProblem]:
        """The first problem of each chain; none where all stands as it was written.

        Entries that were cut off the end, together with the note of where it was, show only by a `known` end that was
        kept elsewhere. Raises: StoreError.
        """
        check = ChainCheck(known)
        ends = {end.writer: end for end in await self.ends()}
        for writer in {*ends, *await self._writers()}:
            async for row in self._rows(writer):
                entry = _entry(row)
                check.take(entry)
                if not _fits(row, entry):
                    check.report(writer, entry.number, "its columns were changed")
            check.expect(ends.get(writer, ChainEnd(writer=writer)))
        return check.end()

    async def _extend(self, connection: AsyncConnection, events: Iterable[AuditEvent]) -> ChainEnd:
        end = await self._locked_end(connection)
        entries = chained(end, events)
        if not entries:
            return end
        rows = [
            {
                "writer": entry.writer,
                "number": entry.number,
                "entry": entry.line,
                "previous": entry.previous,
                "hash": entry.hash,
                **_columns(entry),
            }
            for entry in entries
        ]
        await connection.execute(insert(audit), rows)
        end = end_of(entries)
        mine = update(audit_chains).where(audit_chains.c.writer == self.writer)
        await connection.execute(mine.values(number=end.number, hash=end.hash))
        return end

    async def _locked_end(self, connection: AsyncConnection) -> ChainEnd:
        """Where the chain ends, made where there is none, and locked to the transaction's end."""
        new = insert_into(connection, audit_chains).values(writer=self.writer, number=0, hash=START)
        there = new.on_conflict_do_update(index_elements=["writer"], set_={"writer": self.writer})
        row = (await connection.execute(there.returning(audit_chains.c.number, audit_chains.c.hash))).one()
        return ChainEnd(writer=self.writer, number=row.number, hash=row.hash)

    async def _has(self, connection: AsyncConnection, end: ChainEnd) -> bool:
        there = select(audit.c.hash).where(audit.c.writer == end.writer, audit.c.number == end.number)
        return hmac.compare_digest(str(await connection.scalar(there) or ""), end.hash)

    async def _writers(self) -> Sequence[str]:
        async with self.store.read() as connection:
            return [*await connection.scalars(select(audit.c.writer).distinct())]

    async def _rows(self, writer: str) -> AsyncGenerator[RowMapping]:
        """The writer's rows in order, a page in each transaction."""
        last = 0
        while True:
            page = select(audit).where(audit.c.writer == writer, audit.c.number > last)
            async with self.store.read() as connection:
                rows = (await connection.execute(page.order_by(audit.c.number).limit(PAGE))).mappings().all()
            for row in rows:
                yield row
            if len(rows) < PAGE:
                return
            last = rows[-1]["number"]


def _entry(row: RowMapping) -> AuditEntry:
    return AuditEntry(
        writer=row["writer"], number=row["number"], line=row["entry"], previous=row["previous"], hash=row["hash"]
    )


def _columns(entry: AuditEntry) -> Mapping[str, Any]:
    """What stands in columns of its own, to search by."""
    event = entry.event()
    return {"at": event.get("at", 0.0), "tenant": _plain(event.get("who", {}).get("tenant", "")), "kind": event["kind"]}


def _fits(row: RowMapping, entry: AuditEntry) -> bool:
    try:
        return _columns(entry) == {name: row[name] for name in ("at", "tenant", "kind")}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # it is no event any more
        return False


def _plain(text: str) -> str:
    """Text that every database takes: what it would refuse (NUL, lone surrogates) is written out."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
