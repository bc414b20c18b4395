"""A gateway belongs to one asyncio event loop of one process; elsewhere it works or says so, and never hangs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import trio
import uvloop

from mcpbridge.errors import ConfigError
from mcpbridge.gateway.gateway import Gateway
from mcpbridge.integrations.record import Integration
from mcpbridge.source.answer import error_of
from mcpbridge.tools import Call

Books = Callable[..., dict[str, Any]]
LIST = Call(name="books__list_books")


async def enter_and_call(record: Integration) -> object:
    async with Gateway([record]) as gateway:
        return error_of(await gateway.call(LIST))


@pytest.mark.req("FLT-37")
async def test_another_thread_with_a_loop_of_its_own_is_told(books: Books) -> None:
    told = list[str]()
    async with Gateway([Integration(**books())]) as gateway:
        await gateway.call(LIST)

        async def call() -> None:
            async with asyncio.timeout(10):
                await gateway.call(LIST)

        def elsewhere() -> None:
            try:
                asyncio.run(call())
            except ConfigError as error:
                told.append(str(error))

        thread = threading.Thread(target=elsewhere)
        thread.start()
        await asyncio.to_thread(thread.join, 20)
        here = error_of(await gateway.call(LIST))

    assert "another event loop" in told[0]
    assert here is None


FORK = """
import asyncio, os, sys
from mcpbridge import Call, ConfigError, Gateway, Integration, error_of

CALL = Call(name="books__look")

async def call(gateway):
    async with asyncio.timeout(10):
        failure = error_of(await gateway.call(CALL))
        return failure.code if failure else "answered"

async def main(url):
    look = {"name": "look", "method": "GET", "path": "/books"}
    async with Gateway([Integration(name="books", protocol="rest", base_url=url, operations=[look])]) as gateway:
        print("parent", await call(gateway), flush=True)
        child = os.fork()
        if child:
            assert os.waitpid(child, 0)[1] == 0
            print("parent", await call(gateway), flush=True)
            return
        try:
            asyncio.run(call(gateway))
        except ConfigError as error:
            print("child", error, flush=True)
        os._exit(0)

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.req("FLT-37")
def test_a_forked_child_is_told_and_the_parent_goes_on(shop_url: str) -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK, shop_url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    first, child, last = done.stdout.splitlines()

    assert first == last == "parent answered"
    assert "another event loop" in child


@pytest.mark.req("FLT-38")
def test_asyncio_with_uvloop_is_supported(books: Books) -> None:
    assert uvloop.run(enter_and_call(Integration(**books()))) is None


@pytest.mark.req("FLT-38")
def test_trio_is_told(books: Books) -> None:
    with pytest.raises(ConfigError, match="asyncio"):
        trio.run(enter_and_call, Integration(**books()))
