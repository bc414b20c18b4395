"""`HostSink`: the audit as a host's callable."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from mcpbridge.wrap.audit_event import AuditEntry, AuditEvent, ChainEnd, chained, end_of

TakeEntries: TypeAlias = Callable[[list[AuditEntry]], Awaitable[None] | None]
"""What a host passes: keeps the entries, in order, or raises."""


class HostSink:
    """Gives events to a host's callable, as the chain of a new writer; `verify_entries` checks what the host kept.

    Where the callable raises, the same entries come again: writer and number tell them apart. A plain function holds up
    the event loop while it runs.
    """

    def __init__(self, take: TakeEntries) -> None:
        self._take = take
        self._end = ChainEnd(writer=secrets.token_hex(8))

    async def append(self, events: Sequence[AuditEvent]) -> None:
        """Hands events over. Raises what the callable raises."""
        entries = chained(self._end, events)
        taking = self._take(entries)
        if inspect.isawaitable(taking):
            await taking
        self._end = end_of(entries)
