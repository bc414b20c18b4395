"""A gateway with ten thousand integrations, of which none is used yet."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest

from mcpbridge.integrations.registry import Integrations
from mcpbridge.store.open import open_store
from mcpbridge.tools import Caller

COUNT = 10_000
ADA = Caller(tenant="acme", user="ada")

START = """
import asyncio, glob, json, os, resource, stat, sys, time
from mcpbridge import Caller, Gateway, Integrations, open_store

def sockets():
    return sum(stat.S_ISSOCK(os.stat(each).st_mode) for each in glob.glob("/dev/fd/*") if os.path.exists(each))

def peak():
    try:  # getrusage counts what the process was forked from as well
        told = open("/proc/self/status", encoding="ascii").read()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(told.partition("VmHWM:")[2].split()[0]) / 1024

async def main(url):
    ada = Caller(tenant="acme", user="ada")
    had = sockets()
    begun = time.perf_counter()
    async with open_store(url) as store, Gateway(Integrations(store)) as gateway:
        ready = time.perf_counter() - begun
        states = {status.state for status in (await gateway.statuses(ada)).values()}
        print(json.dumps({
            "ready": ready,
            "states": sorted(states),
            "count": len(await gateway.statuses(ada)),
            "sockets": sockets() - had,
            "mebibytes": peak(),
        }))

asyncio.run(main(sys.argv[1]))
"""


def started(url: str) -> dict[str, Any]:
    """What a fresh process says of a gateway over this database."""
    done = subprocess.run([sys.executable, "-c", START, url], capture_output=True, text=True, check=True, timeout=60)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.req("INT-10", "FLT-31")
async def test_ten_thousand_integrations_are_ready_and_none_is_connected(sqlite_url: str, compiled: None) -> None:
    operation = {"name": "look", "method": "GET", "path": "/look"}
    record = {"protocol": "rest", "base_url": "https://api.example.com", "operations": [operation]}
    async with open_store(sqlite_url) as store:
        await Integrations(store).create_all(ADA, [{**record, "name": f"api{number}"} for number in range(COUNT)])
    found = await asyncio.to_thread(started, sqlite_url)

    assert (found["count"], found["states"], found["sockets"]) == (COUNT, ["pending"], 0)
    assert found["ready"] < 5.0
    assert found["mebibytes"] < 300
