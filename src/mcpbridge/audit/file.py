"""`FileSink`: the audit as a file of JSON lines."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from mcpbridge.audit.chains import ChainCheck
from mcpbridge.wrap.audit_event import AuditEntry, AuditEvent, AuditProblem, ChainEnd, chained, end_of, to_line


class FileSink:
    """Appends events to a file, one JSON object a line, as the chain of a new writer.

    The file is made with mode 0600. It is opened for each batch, so that it may be moved away while this goes on; a
    batch is on the disk when it is done, or not in the file at all. One process writes one file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._end = ChainEnd(writer=secrets.token_hex(8))

    async def append(self, events: Sequence[AuditEvent]) -> None:
        """Writes events. Raises: OSError."""
        entries = chained(self._end, events)
        await asyncio.to_thread(self._write, "".join(map(_shown, entries)).encode("ascii"))
        self._end = end_of(entries)

    async def ends(self) -> Sequence[ChainEnd]:
        """How far the chain goes that this sink writes."""
        return [self._end] if self._end.number else []

    async def verify(self, *, known: Iterable[ChainEnd] = ()) -> Sequence[AuditProblem]:
        """The first problem of each chain in the file; none where all stands as it was written. Raises: OSError."""
        return await asyncio.to_thread(verify_files, [self.path], known=[*known, *await self.ends()])

    def _write(self, data: bytes) -> None:
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            before = os.fstat(file).st_size
            try:
                _write_all(file, data)
                os.fsync(file)
            except OSError:
                os.ftruncate(file, before)  # a line that is cut off would stay
                raise
        finally:
            os.close(file)


def verify_files(paths: Iterable[Path], *, known: Iterable[ChainEnd] = ()) -> Sequence[AuditProblem]:
    """The first problem of each chain in these files; of one that was moved away, pass all parts in order.

    A line that can't be read is a problem of the writer `""`, its number the line's. Raises: OSError.
    """
    check = ChainCheck(known)
    for path in paths:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                entry = _read(line)
                if entry is None:
                    check.report("", number, f"line {number} of {path.name!r} is no entry of an audit")
                else:
                    check.take(entry)
    return check.end()


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _shown(entry: AuditEntry) -> str:
    head = {"writer": entry.writer, "number": entry.number, "previous": entry.previous, "hash": entry.hash}
    return f'{json.dumps(head)[:-1]}, "event": {entry.line}}}\n'


def _read(line: bytes) -> AuditEntry | None:
    try:
        shown = cast("dict[str, Any]", json.loads(line))
        return AuditEntry(
            writer=shown["writer"],
            number=shown["number"],
            line=to_line(shown["event"]),
            previous=shown["previous"],
            hash=shown["hash"],
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
