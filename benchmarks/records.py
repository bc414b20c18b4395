"""The figures of stored records: creating and loading integrations, sealing and opening secrets.

On SQLite in a file, or on the database of DATABASE_URL. The best of the runs counts: whatever else the machine does
makes single runs slower, never quicker.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from mcpbridge import Caller, Integrations, Secret, Vault, open_store
from mcpbridge.vault.envelope import Place
from mcpbridge.vault.keys import LocalKey

COUNT = 10_000
GOALS = {"create": 3.0, "load": 0.2, "load and read each record": None, "seal and open": 0.2}


def record(number: int) -> dict[str, Any]:
    return {
        "name": f"n{number}",
        "protocol": "rest",
        "openapi": "https://example.com/openapi.json",
        "base_url": "https://api.example.com",
        "auth": {"type": "bearer", "token": f"token-{number}"},
    }


async def once(url: str) -> dict[str, float]:
    caller, given = Caller(tenant="acme", user="ada"), [record(number) for number in range(COUNT)]
    async with open_store(url) as store:
        vault = Vault(store, [LocalKey(os.urandom(32))])
        integrations = Integrations(store, vault)
        begin = time.perf_counter()
        await integrations.create_all(caller, given)
        created = time.perf_counter()
        loaded = await integrations.load()
        read = time.perf_counter()
        assert len({each.record.name for each in loaded}) == COUNT
        parsed = time.perf_counter()
        sealing = await sealed(vault)
    return {
        "create": created - begin,
        "load": read - created,
        "load and read each record": parsed - created,
        "seal and open": sealing,
    }


async def sealed(vault: Vault) -> float:
    places = [Place(tenant="acme", integration=f"int_{n}", field="auth.token", revision=1) for n in range(COUNT)]
    secret = Secret("a token of the usual length, say forty")
    begin = time.perf_counter()
    envelopes = [(place, await vault.seal(place, secret)) for place in places]
    for place, envelope in envelopes:
        await vault.unseal(place, envelope)
    return time.perf_counter() - begin


def measured(runs: int) -> dict[str, float]:
    """The best of the runs, in seconds."""
    taken: list[dict[str, float]] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            url = os.environ.get("DATABASE_URL") or f"sqlite:///{Path(folder) / 'records.db'}"
            taken.append(asyncio.run(once(url)))
    return {name: min(each[name] for each in taken) for name in GOALS}


def main(runs: int = 5) -> int:
    missed = 0
    for name, seconds in measured(runs).items():
        goal = GOALS[name]
        verdict = "" if goal is None else "good" if seconds <= goal else "MISSED"
        missed += verdict == "MISSED"
        print(f"{name:28} {seconds:8.3f} s for {COUNT}  goal {goal}  {verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
