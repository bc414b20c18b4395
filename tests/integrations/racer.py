"""One replica, as a process of its own: manages integrations beside others, and tells what came of it, a line each."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from mcpbridge.audit.stored import StoreSink
from mcpbridge.errors import BridgeError
from mcpbridge.integrations.errors import IntegrationNotFound, InvalidRecord, RevisionConflict
from mcpbridge.integrations.record import Integration
from mcpbridge.integrations.registry import Integrations
from mcpbridge.store.open import open_store
from mcpbridge.tools import Caller
from mcpbridge.vault.keys import LocalKey
from mcpbridge.vault.vault import Vault

ADA = Caller(tenant="acme", user="ada")
OPEN = {"protocol": "rest", "openapi": "https://x.example/openapi.json"}


def tell(**said: Any) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


async def until_done(work: Any) -> Any:
    """What an update gives, made anew as often as others were quicker."""
    while True:
        try:
            return await work()
        except RevisionConflict:
            continue


async def edit(kept: Integrations, me: str, count: int) -> None:
    """Adds names of its own to a field that all of them change, each time to what stands; and gives new credentials."""
    for number in range(count):

        async def add(name: str = f"{me}-{number}") -> int:
            now = await kept.get(ADA, "shared")
            changes = {"teams": [*now.record.teams, name], "auth": {"type": "bearer", "token": name}}
            return (await kept.update(ADA, "shared", changes, revision=now.revision)).revision

        tell(revision=await until_done(add))


async def switch(kept: Integrations, me: str, count: int) -> None:
    """Switches one of the system to and fro, and changes two fields of one of the tenant at a time."""
    for number in range(count):
        made = await (kept.disable if number % 2 else kept.enable)(ADA, "status")
        tell(status=made.revision)
        await until_done(lambda number=number: kept.disable(ADA, "switched", reason=f"{me}-{number}"))
        await until_done(lambda number=number: kept.update(ADA, "switched", {"description": f"{me}-{number}"}))


async def come_and_go(kept: Integrations, me: str, count: int) -> None:
    """Creates, edits and deletes what has the same name for all of them."""
    for number in range(count):
        for action, work in (
            ("created", lambda: kept.create(ADA, {**OPEN, "name": "brief", "auth": {"type": "bearer", "token": me}})),
            ("edited", lambda: kept.update(ADA, "brief", {"auth": {"type": "basic", "user": me, "password": me}})),
            ("deleted", lambda: kept.delete(ADA, "brief")),
        ):
            try:
                await until_done(work)
                tell(action=action, number=number)
            except (InvalidRecord, IntegrationNotFound) as error:
                tell(action=f"not {action}", why=error.code)


async def main(url: str, me: str, count: int) -> None:
    async with open_store(url, wait=60.0) as store:
        vault, status = Vault(store, [LocalKey(bytes(range(32)))]), Integration(**OPEN, name="status")
        kept = Integrations(store, vault, system=[status], audit=StoreSink(store))
        tell(ready=True)
        await asyncio.to_thread(sys.stdin.readline)  # all of them begin together
        try:
            await asyncio.gather(*(job(kept, me, count) for job in (edit, switch, come_and_go)))
        except BridgeError as error:
            tell(error=f"{type(error).__name__}: {error}")
            raise


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
