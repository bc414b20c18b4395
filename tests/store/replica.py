"""One replica, as a process of its own: opens the store URL, changes a tenant COUNT times, tells revisions."""

from __future__ import annotations

import asyncio
import sys

from mcpbridge.audit.stored import StoreSink
from mcpbridge.store.open import open_store
from mcpbridge.wrap.audit_event import AuditEvent

EVENT = AuditEvent(kind="change", what="record", action="update", outcome="ok", at=1.0)


async def main(url: str, count: int) -> None:
    async with open_store(url, wait=30.0) as store:
        sink = StoreSink(store)
        for _ in range(count):
            async with store.write() as connection:
                revision = await store.touch(connection, "acme")
                await sink.record(connection, EVENT)
            sys.stdout.write(f"{revision}\n")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
