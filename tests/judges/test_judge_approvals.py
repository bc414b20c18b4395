"""Clients that nobody here wrote, of both eras, before replicas that keep approvals in one store."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE
from typing import Any

import pytest
from court import JUDGES, Run, Serve

from mcpbridge.approvals.approvals import Approvals
from mcpbridge.store.open import open_store


@pytest.mark.req("APR-08", "APR-04", "GW-07")
@pytest.mark.parametrize("era", ["old", "new"])
async def test_a_client_that_cannot_be_asked_goes_on_after_the_decision_on_another_replica(
    node: str, serve: Serve, sqlite_url: str, era: str
) -> None:
    async with serve("approved.py", sqlite_url) as one, serve("approved.py", sqlite_url) as two:
        words = [node, str(JUDGES / "queued.mjs"), era, one, two]
        client = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, cwd=JUDGES)
        assert client.stdout
        async with asyncio.timeout(120):
            asked = json.loads(await client.stdout.readline())
            await _approved(sqlite_url, asked["structuredContent"]["error"]["details"]["approval"])
            out, _ = await client.communicate(b"go on\n")
    again, once_more = (json.loads(line) for line in out.splitlines())

    assert again["content"] == [{"type": "text", "text": "dropped 5"}]
    assert once_more["structuredContent"]["error"]["code"] == "approval_required"


async def _approved(url: str, id: str) -> None:
    async with open_store(url) as store:
        decided = await Approvals(store).decide(id, approved=True, by="carol")
    assert decided
    assert decided.won


@pytest.mark.req("APR-04", "APR-07")
@pytest.mark.parametrize("client", ["old.mjs", "new.mjs"])
async def test_a_person_at_the_client_decides_and_the_store_has_it(
    run: Run, serve: Serve, sqlite_url: str, client: str
) -> None:
    async with serve("approved.py", sqlite_url) as url:
        told: dict[str, Any] = json.loads(await asyncio.to_thread(run, JUDGES / client, url))
    async with open_store(sqlite_url) as store:
        [done] = await Approvals(store).requests(states=("done",))

    assert told["write"]["content"] == [{"type": "text", "text": "dropped 1"}]
    assert (done.tool, done.by) == ("drop_note", "client")
