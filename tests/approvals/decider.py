"""One replica, as a process of its own: decides on whatever waits, in an order of its own, and tells how that went."""

from __future__ import annotations

import asyncio
import json
import random
import sys

from mcpbridge.approvals.approvals import Approvals
from mcpbridge.store.open import open_store


async def main(url: str, name: str) -> None:
    async with open_store(url, wait=60.0) as store:
        approvals = Approvals(store)
        waiting = [*await approvals.waiting()]
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        random.Random(name).shuffle(waiting)
        for request in waiting:
            decided = await approvals.decide(request.id, approved=random.random() < 0.5, by=name)
            assert decided
            told = {"id": request.id, "won": decided.won, "by": decided.request.by, "state": decided.request.state}
            sys.stdout.write(json.dumps(told) + "\n")


asyncio.run(main(*sys.argv[1:]))
