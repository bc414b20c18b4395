"""A store belongs to one asyncio event loop of one process; elsewhere it says so, and never hangs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest
import trio
import uvloop
from sqlalchemy import select

from mcpbridge.errors import ConfigError
from mcpbridge.store.clock import now
from mcpbridge.store.open import open_store
from mcpbridge.store.store import Store


async def ask(store: Store) -> float:
    async with store.read() as connection:
        return await connection.scalar(select(now())) or 0.0


async def open_and_ask(url: str) -> float:
    async with open_store(url) as store:
        return await ask(store)


@pytest.mark.req("FLT-37")
async def test_another_thread_with_a_loop_of_its_own_is_told(store: Store) -> None:
    told = list[str]()

    def elsewhere() -> None:
        try:
            asyncio.run(ask(store))
        except ConfigError as error:
            told.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    await asyncio.to_thread(thread.join, 10)

    assert "another event loop" in told[0]


FORK = """
import asyncio, os, sys
from mcpbridge.errors import ConfigError
from mcpbridge.store.open import open_store

async def ask(store):
    async with store.write():
        pass

async def main(url):
    async with open_store(url) as store:
        child = os.fork()
        if child:
            assert os.waitpid(child, 0)[1] == 0
            await ask(store)
            return
        for wait in (ask(store), store.__aexit__(None, None, None)):
            try:
                await wait
            except ConfigError as error:
                print(error, flush=True)
        os._exit(0)

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.req("FLT-37")
def test_a_forked_child_is_told_and_the_parent_goes_on(database_url: str) -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK, database_url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)

    assert done.stdout.count("was opened before a fork: open it in each process") == 2


@pytest.mark.req("FLT-38")
def test_asyncio_with_uvloop_is_supported(sqlite_url: str) -> None:
    assert uvloop.run(open_and_ask(sqlite_url)) > 1.7e9


@pytest.mark.req("FLT-38")
def test_trio_is_told(sqlite_url: str) -> None:
    with pytest.raises(ConfigError, match="asyncio"):
        trio.run(open_and_ask, sqlite_url)


async def test_a_store_that_is_not_open_says_so(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    with pytest.raises(ConfigError, match="async with"):
        await ask(store)
    async with store:
        assert await ask(store) > 1.7e9
    with pytest.raises(ConfigError, match="async with"):
        await ask(store)
    async with store:  # it can be opened again
        assert await ask(store) > 1.7e9


async def test_a_store_is_entered_once(store: Store) -> None:
    with pytest.raises(ConfigError, match="open already"):
        await store.__aenter__()
