"""The figures of a gateway of stored records: its start with 10,000, and what a call through one costs.

On SQLite. The start is measured in a process of its own; calls of the two gateways are made in turns, and the best
round of each counts, by the CPU of the process, since other work on the machine makes rounds longer.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mcpbridge import (
    Call,
    Caller,
    Gateway,
    Integrations,
    Restrict,
    RestSource,
    Router,
    Scope,
    ToolSource,
    declare,
    guarded,
    open_store,
)  # fmt: skip
from mcpbridge.net.guard import ANYWHERE
from mcpbridge.testing.ports import listening

COUNT = 10_000
CALLS = 100
ADA = Caller(tenant="acme", user="ada")
LOOK: dict[str, Any] = {"name": "look", "method": "GET", "path": "/look"}
CALL = Call(name="api0__look", caller=ADA)


def record(number: int, url: str) -> dict[str, Any]:
    return {"name": f"api{number}", "protocol": "rest", "base_url": url, "operations": [LOOK]}


async def create(database: str) -> None:
    async with open_store(database) as store:
        given = [record(number, "https://api.example.com") for number in range(COUNT)]
        await Integrations(store).create_all(ADA, given)


async def start(database: str) -> dict[str, float]:
    begun = time.perf_counter()
    async with open_store(database) as store, Gateway(Integrations(store)) as gateway:
        ready = time.perf_counter() - begun
        await gateway.statuses(ADA)  # the tenant's first request makes all that it has, and connects to nothing
        return {
            "ready": ready,
            "first request": time.perf_counter() - begun,
            "MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


async def answer(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({
            "type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")],
        })  # fmt: skip
        await send({"type": "http.response.body", "body": b'{"ok": true}'})


async def round_of(source: ToolSource) -> float:
    begun = time.process_time()
    for _ in range(CALLS):
        await source.call(CALL)
    return (time.process_time() - begun) / CALLS * 1e6


async def calls(database: str, rounds: int = 30) -> Sequence[float]:
    """Microseconds of CPU (the upstream's in them) of a call: stored; composed by hand with the same rules; without."""
    async with listening(answer) as url, open_store(database) as store:
        integrations = Integrations(store)
        await integrations.create(ADA, record(0, url))
        bare, ruled = (RestSource([declare(**LOOK)], base_url=url) for _ in range(2))
        by_hand = guarded(Router({"api0": Restrict(ruled, Scope(tenant="acme"))}))
        without = guarded(Router({"api0": bare}))
        async with Gateway(integrations, guard=ANYWHERE) as stored, by_hand, without:
            sources = (stored, by_hand, without)
            taken = [[await round_of(source) for source in sources] for _ in range(rounds)]
        return [min(each) for each in zip(*taken, strict=True)]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'many.db'}"
        asyncio.run(create(database))
        words = [sys.executable, __file__, "start", database]
        found = json.loads(subprocess.run(words, capture_output=True, check=True, text=True).stdout)
        ours, theirs, bare = asyncio.run(calls(f"sqlite:///{Path(folder) / 'one.db'}"))
    rows = [
        (f"ready with {COUNT} integrations", found["ready"], "s", 5.0),
        ("and all of its tenant made, none connected", found["first request"], "s", None),
        ("memory of the process then", found["MiB"], "MiB", 300.0),
        (f"a call, stored ({ours:.0f} us) against composed by hand ({theirs:.0f} us)", ours / theirs, "x", 1.05),
        (f"the same against one composed without rules of access ({bare:.0f} us)", ours / bare, "x", None),
    ]
    for what, value, unit, goal in rows:
        verdict = "" if goal is None else "good" if value <= goal else "MISSED"
        print(f"{what:75} {value:8.2f} {unit:4} goal {goal}  {verdict}")
    return int(any(goal is not None and value > goal for _, value, _, goal in rows))


if __name__ == "__main__":
    if sys.argv[1:2] == ["start"]:
        print(json.dumps(asyncio.run(start(sys.argv[2]))))
        sys.exit()
    sys.exit(main())
