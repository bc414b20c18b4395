"""`ChainCheck`: walks chains of audit entries and finds the first of each that is not as it was written. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence

from mcpbridge.wrap.audit_event import AuditEntry, AuditProblem, ChainEnd, broken


class ChainCheck:
    """Takes the entries of all writers, each writer's in order, and gives the problems.

    `known` are ends that were kept elsewhere: a chain that does not go through one of them was cut off or replaced.
    """

    def __init__(self, known: Iterable[ChainEnd] = ()) -> None:
        self._known = {(end.writer, end.number): end for end in known}
        self._ends: dict[str, ChainEnd] = {}
        self._problems: dict[str, AuditProblem] = {}

    def take(self, entry: AuditEntry) -> None:
        """The next entry of its writer."""
        if entry.writer in self._problems:
            return
        end = self._ends.get(entry.writer, ChainEnd(writer=entry.writer))
        if message := broken(entry, end):
            self.report(entry.writer, min(entry.number, end.number + 1), message)
            return
        known = self._known.pop((entry.writer, entry.number), None)
        if known is not None and not hmac.compare_digest(known.hash, entry.hash):
            self.report(entry.writer, entry.number, "it is not the entry that was known: the chain was written anew")
        self._ends[entry.writer] = ChainEnd(writer=entry.writer, number=entry.number, hash=entry.hash)

    def report(self, writer: str, number: int, message: str) -> None:
        """Something else that is wrong with a writer's chain; the first counts."""
        self._problems.setdefault(writer, AuditProblem(writer=writer, number=number, message=message))

    def expect(self, end: ChainEnd) -> None:
        """The chain of this writer goes as far as this."""
        reached = self._ends.get(end.writer, ChainEnd(writer=end.writer))
        if reached.number < end.number:
            self.report(end.writer, reached.number + 1, "it is missing, and so are all after it")

    def end(self) -> Sequence[AuditProblem]:
        """The first problem of each chain; none where all is as it was written."""
        for known in self._known.values():
            self.expect(known)
        return [*self._problems.values()]


def verify_entries(entries: Iterable[AuditEntry], *, known: Iterable[ChainEnd] = ()) -> Sequence[AuditProblem]:
    """The first problem of each writer's chain in these entries, each writer's in order; see `ChainCheck`."""
    check = ChainCheck(known)
    for entry in entries:
        check.take(entry)
    return check.end()
