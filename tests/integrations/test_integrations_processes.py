"""Four real processes that manage the integrations of one database."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import func, select

from mcpbridge.audit.stored import StoreSink
from mcpbridge.integrations.auth import BearerAuth
from mcpbridge.integrations.record import Integration
from mcpbridge.integrations.registry import Integrations
from mcpbridge.secret import Secret
from mcpbridge.store.changes import revisions_of
from mcpbridge.store.schema import audit, secrets
from mcpbridge.store.store import Store
from mcpbridge.tools import Caller
from mcpbridge.vault.keys import LocalKey
from mcpbridge.vault.vault import Vault

ADA = Caller(tenant="acme", user="ada")
OPEN: dict[str, Any] = {"protocol": "rest", "openapi": "https://x.example/openapi.json"}
COUNT = 5
RACER = Path(__file__).with_name("racer.py")


@pytest.fixture
def kept(store: Store) -> Integrations:
    vault = Vault(store, [LocalKey(bytes(range(32)))])
    return Integrations(store, vault, system=[Integration(**OPEN, name="status")], audit=StoreSink(store))


async def race(url: str) -> list[dict[str, Any]]:
    """What four processes told that began together."""
    commands = [[sys.executable, str(RACER), url, f"r{number}", str(COUNT)] for number in range(4)]
    racers = [await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE) for command in commands]
    async with asyncio.timeout(120):
        await asyncio.gather(*map(_ready, racers))
        told = await asyncio.gather(*(racer.communicate(b"go\n") for racer in racers))
    lines = [json.loads(line) for out, _ in told for line in out.splitlines()]
    assert [racer.returncode for racer in racers] == [0] * 4, lines
    return lines


async def _ready(racer: Process) -> None:
    assert racer.stdout is not None
    assert b"ready" in await racer.stdout.readline()


async def audited(store: Store, name: str) -> Counter[str]:
    """How often each action on an integration is in the audit."""
    async with store.read() as connection:
        events = [json.loads(line) for line in await connection.scalars(select(audit.c.entry))]
    return Counter(event["action"] for event in events if event["details"]["name"] == name)


@pytest.mark.req("INT-03", "INT-05", "FLT-24", "AUD-01")
async def test_four_processes_lose_no_update_and_make_every_revision_once(
    kept: Integrations, store: Store, database_url: str
) -> None:
    await kept.create(ADA, {**OPEN, "name": "shared", "auth": {"type": "bearer", "token": "first"}})
    await kept.create(ADA, {**OPEN, "name": "switched"})
    told = await race(database_url)

    async with store.read() as connection:
        events = await connection.scalar(select(func.count()).select_from(audit))
    assert await revisions_of(store) == {"acme": events}
    assert await StoreSink(store).verify() == []
    await check_edited(kept, store, [each["revision"] for each in told if "revision" in each])
    await check_switched(kept, store, [each["status"] for each in told if "status" in each])
    await check_coming_and_going(kept, store, Counter([each["action"] for each in told if "action" in each]))


async def check_edited(kept: Integrations, store: Store, revisions: list[int]) -> None:
    """Each process added names of its own to one list, and with each the credential of that name."""
    now = await kept.get(ADA, "shared")
    teams, auth = now.record.teams, cast("BearerAuth", (await kept.revealed(now)).auth)

    assert sorted(revisions) == [*range(2, 4 * COUNT + 2)]
    assert sorted(teams) == sorted(f"r{n}-{number}" for n in range(4) for number in range(COUNT))
    assert auth.token == Secret(teams[-1])
    assert await audited(store, "shared") == {"create": 1, "update": 4 * COUNT}


async def check_switched(kept: Integrations, store: Store, revisions: list[int]) -> None:
    """Each process changed one field and then the other, always to something new."""
    now = await kept.get(ADA, "switched")

    assert sorted(revisions) == [*range(2, 4 * COUNT + 2)]
    assert await audited(store, "switched") == {"create": 1, "disable": 4 * COUNT, "update": 4 * COUNT}
    last = f"-{COUNT - 1}"
    assert (now.revision, now.record.reason[2:], now.record.description[2:]) == (8 * COUNT + 1, last, last)


async def check_coming_and_going(kept: Integrations, store: Store, told: Counter[str]) -> None:
    """Each process created, edited and deleted what has one name for all."""
    there = [each for each in await kept.load() if each.name == "brief"]
    done = {"create": told["created"], "update": told["edited"], "delete": told["deleted"]}

    assert told["created"] - told["deleted"] == len(there) <= 1
    assert await audited(store, "brief") == {action: count for action, count in done.items() if count}
    async with store.read() as connection:
        owners = {*await connection.scalars(select(secrets.c.integration))}
    assert owners == {(await kept.get(ADA, "shared")).id, *(each.id for each in there)}
