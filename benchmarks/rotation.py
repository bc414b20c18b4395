"""How a rotation of the vault's key and 200 writes a second get on: on a SQLite file, or the database of DATABASE_URL.

Writes begin on time, whether or not those before them are done. A write is one credential in a transaction of its own,
on SQLite with an fsync; how fast that is, is the disk's.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from mcpbridge import Secret, Vault, open_store
from mcpbridge.vault.envelope import Place
from mcpbridge.vault.keys import LocalKey
from mcpbridge.vault.rotation import key_ids

ROWS = 20_000
RATE = 200
SECONDS = 10.0
OLD, NEW = LocalKey(bytes(range(32))), LocalKey(bytes(range(64, 96)))


@dataclass(kw_only=True, slots=True)
class Taken:
    """Seconds of each write, and what was read."""

    writes: list[float] = field(default_factory=list[float])
    reads: int = 0


def place_of(number: int, revision: int = 1) -> Place:
    return Place(tenant="acme", integration=f"int_{number}", field="auth.token", revision=revision)


async def keep(vault: Vault, places: list[Place]) -> None:
    sealed = [(place, await vault.seal(place, Secret("a token of the usual length"))) for place in places]
    async with vault.store.write() as connection:
        await vault.put(connection, sealed)


async def write_at(vault: Vault, due: float, number: int, taken: Taken) -> None:
    await asyncio.sleep(due - time.perf_counter())
    await keep(vault, [place_of(number % ROWS, revision=number + 2)])
    taken.writes.append(time.perf_counter() - due)


async def read(vault: Vault, taken: Taken) -> None:
    """Opens one credential after the other; whatever does not open ends the run."""
    while True:
        async with vault.store.read() as connection:
            kept = await vault.read(connection, "acme", place_of(taken.reads * 7 % ROWS).integration)
        for place, envelope in kept.items():
            await vault.unseal(place, envelope)
        taken.reads += 1


async def run(url: str) -> int:
    async with open_store(url, wait=60.0) as store:
        await keep(Vault(store, [OLD]), [place_of(number) for number in range(ROWS)])
        vault, taken = Vault(store, [NEW, OLD]), Taken()
        begin = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(read(vault, taken))
            writes = [
                tasks.create_task(write_at(vault, begin + number / RATE, number, taken))
                for number in range(int(RATE * SECONDS))
            ]
            rotation = await vault.rotate(batch=50)
            rotated, during = time.perf_counter() - begin, len(taken.writes)
            await asyncio.wait(writes)
            written = time.perf_counter() - begin
            reading.cancel()
        left = await key_ids(store, without=[NEW.id])
    taken.writes.sort()
    print(f"rotated {rotation.rewrapped} of {ROWS} keys in {rotated:.2f} s; {during / rotated:.0f} writes/s meanwhile")
    print(
        f"{len(taken.writes)} writes due in {SECONDS:.0f} s were done in {written:.2f} s: {len(writes) / written:.0f}/s"
    )
    middle, most = taken.writes[len(taken.writes) // 2], taken.writes[-1]
    print(
        f"a write took {middle * 1000:.0f} ms (median), {most * 1000:.0f} ms at most; {taken.reads} reads, none failed"
    )
    print(f"rows under the old key: {sum(left.values())}")
    return 1 if left else 0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(run(os.environ.get("DATABASE_URL") or f"sqlite:///{Path(folder) / 'rotation.db'}"))


if __name__ == "__main__":
    sys.exit(main())
