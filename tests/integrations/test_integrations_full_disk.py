"""Management while the disk is full, and while another program holds the database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import asyncio, os, resource, sqlite3, sys
from mcpbridge.audit.stored import StoreSink
from mcpbridge.errors import BridgeError
from mcpbridge.integrations.registry import Integrations
from mcpbridge.store.open import open_store
from mcpbridge.tools import Caller
from mcpbridge.vault.keys import LocalKey
from mcpbridge.vault.vault import Vault

ADA = Caller(tenant="acme", user="ada")
REST = {"name": "tickets", "protocol": "rest", "openapi": "https://x.example/a.json"}
LONG = {"description": "x" * 4000, "auth": {"type": "bearer", "token": "second"}}

async def told(work):
    try:
        await work
    except BridgeError as error:
        print(error.code)

async def main(path):
    async with open_store(f"sqlite:///{path}", wait=0.2) as store:
        kept = Integrations(store, Vault(store, [LocalKey(bytes(range(32)))]), audit=StoreSink(store))
        await kept.create(ADA, {**REST, "auth": {"type": "bearer", "token": "first"}})
        room = os.path.getsize(path + "-wal") + 4096
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        await told(kept.create_all(ADA, [{**REST, **LONG, "name": f"n{n}"} for n in range(50)]))
        await told(kept.update(ADA, "tickets", LONG))
        await told(kept.delete(ADA, "tickets"))
        [now] = await kept.load()
        print(now.revision, (await kept.revealed(now)).auth.token.reveal())
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await told(kept.update(ADA, "tickets", LONG))
        other.execute("ROLLBACK")
        made = await kept.update(ADA, "tickets", LONG)
        print(made.revision, (await kept.revealed(made)).auth.token.reveal(), await kept.audit.verify())

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.req("FLT-24", "FLT-26", "INT-03")
@pytest.mark.skipif(os.name != "posix", reason="the limit on a file's size is POSIX's")
def test_what_can_not_be_written_is_told_and_the_old_record_still_works(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "gateway.db")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    full, busy = ["store_full"] * 3, ["store_busy"]
    assert done.stdout.splitlines() == [*full, "1 first", *busy, "2 second []"]
