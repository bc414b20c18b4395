"""Replicas as processes of their own, that share one login on one database."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from sqlalchemy import update

from authority import Authority
from logins import host_of, log_in
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.store.clock import now
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import tokens
from mcpbridge.store.store import Store

REPLICA = Path(__file__).with_name("oauth_replica.py")


async def started(url: str, authority: Authority, count: int) -> asyncio.subprocess.Process:
    """A replica that waits for a line."""
    environment = {**os.environ, "PYTHONPATH": str(REPLICA.parent)}
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, str(REPLICA), url, authority.url, str(count)]
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=environment)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


async def expired(store: Store, authority: Authority) -> None:
    authority.expire()
    async with store.write() as connection:
        await connection.execute(update(tokens).values(expires=now() - 1.0))


async def refreshed_by(url: str, authority: Authority, *, processes: int, calls: int) -> list[str]:
    """The statuses of all calls that processes make at once with an expired token."""
    async with open_store(url) as store, asyncio.timeout(120):
        await log_in(AuthorizationCode(host_of(store), "notes", resource=f"{authority.url}/api"))
        replicas = await asyncio.gather(*(started(url, authority, calls) for _ in range(processes)))
        await expired(store, authority)
        authority.delay = 0.3
        told = await asyncio.gather(*(replica.communicate(b"go\n") for replica in replicas))
    assert [replica.returncode for replica in replicas] == [0] * processes
    return [status for out, _ in told for status in out.decode().split()]
