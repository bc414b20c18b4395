"""Real processes that share one login on one database; a larger run of the same is among the judges."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from sqlalchemy import update

from authority import Authority
from logins import ANN, Heard, call, host_of, log_in, until
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.errors import ReconnectRequired
from mcpbridge.auth.oauth.refresh import Pace
from mcpbridge.store.clock import now
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import tokens
from mcpbridge.store.store import Store

REPLICA = Path(__file__).with_name("oauth_replica.py")


async def started(url: str, authority: Authority, count: int) -> asyncio.subprocess.Process:
    """A replica that waits for a line."""
    environment = {**os.environ, "PYTHONPATH": str(REPLICA.parents[2])}
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


@pytest.mark.req("FLT-13", "AUTH-10", "ATK-47")
async def test_processes_refresh_an_expired_token_once_and_no_call_fails(
    database_url: str, authority: Authority
) -> None:
    assert await refreshed_by(database_url, authority, processes=2, calls=20) == ["200"] * 40
    assert authority.grants("refresh_token") == 1
    assert not authority.reused()


@pytest.mark.req("FLT-16")
async def test_a_replica_that_is_killed_while_the_server_answers_is_recovered_from(
    sqlite_url: str, authority: Authority
) -> None:
    heard = Heard()
    async with open_store(sqlite_url) as store:
        host = host_of(store, heard, pace=Pace(patience=20.0))
        auth = AuthorizationCode(host, "notes", resource=f"{authority.url}/api")
        await log_in(auth)
        replica = await started(sqlite_url, authority, 1)
        await expired(store, authority)
        authority.delay = 1.0
        assert replica.stdin is not None
        replica.stdin.write(b"go\n")
        await until(lambda: authority.grants("refresh_token") == 1)
        replica.kill()
        await replica.wait()

        with pytest.raises(ReconnectRequired):  # the server had spent the refresh token for nobody
            await call(AuthorizationCode(host, "notes", resource=f"{authority.url}/api"), f"{authority.url}/api", ANN)

    assert authority.grants("refresh_token") == 2
    assert heard.kinds()[-1] == "reconnect_required"
