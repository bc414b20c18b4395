"""What the judges say of a gateway of ours."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest
from court import HERE, JUDGES, MODULES, SCOPE, Run, Serve

pytestmark = pytest.mark.req("GW-04")

STDIO = [sys.executable, str(HERE / "notes.py")]
INSPECTOR = MODULES / ".bin/mcp-inspector"
CONFORMANCE = SCOPE / "conformance/dist/index.js"


@pytest.mark.parametrize("client", ["old.mjs", "new.mjs"])
@pytest.mark.parametrize("transport", ["http", "stdio"])
async def test_the_typescript_sdk_lists_reads_and_writes_after_a_yes(
    run: Run, serve: Serve, client: str, transport: str
) -> None:
    if transport == "stdio":
        told = json.loads(await asyncio.to_thread(run, JUDGES / client, "stdio", *STDIO))
    else:
        async with serve("notes.py") as url:
            told = json.loads(await asyncio.to_thread(run, JUDGES / client, url))
    assert len({*told["tools"]}) == 1202
    assert told["write"]["content"] == [{"type": "text", "text": "dropped 1"}]
    assert _note(told["read"]) == [{"id": 1}]


async def test_fastmcps_client_lists_reads_and_writes_after_a_yes(fastmcp: str, serve: Serve) -> None:
    async with serve("notes.py") as url:
        child = await asyncio.create_subprocess_exec(fastmcp, str(HERE / "fast.py"), url, stdout=PIPE)
        said, _ = await asyncio.wait_for(child.communicate(), 120)
    told = json.loads(said)
    assert len({*told["tools"]}) == 1202
    assert told["write"]["content"] == [{"type": "text", "text": "dropped 1"}]
    assert _note(told["read"]) == [{"id": 1}]


def _note(result: dict[str, Any]) -> Any:
    return result["structuredContent"] if "structuredContent" in result else json.loads(result["content"][0]["text"])


async def test_the_inspector_lists_and_calls_over_http(run: Run, serve: Serve) -> None:
    async with serve("notes.py") as url:
        words = ["--cli", url, "--transport", "http", "--method"]
        listed = await asyncio.to_thread(run, INSPECTOR, *words, "tools/list")
        called = await asyncio.to_thread(run, INSPECTOR, *words, "tools/call", *_READ)
    assert '"read_note"' in listed
    assert '\\"id\\": 7' in called or '"id": 7' in called


async def test_the_inspector_lists_and_calls_over_stdio(run: Run) -> None:
    listed = await asyncio.to_thread(run, INSPECTOR, "--cli", *STDIO, "--method", "tools/list")
    called = await asyncio.to_thread(run, INSPECTOR, "--cli", *STDIO, "--method", "tools/call", *_READ)
    assert '"read_note"' in listed
    assert '\\"id\\": 7' in called or '"id": 7' in called


_READ = ["--tool-name", "read_note", "--tool-arg", "id=7"]

LEGS = [("2025-11-25", "auto"), ("2025-11-25", "legacy"), ("2026-07-28", "auto")]
"""A version of the suite, and how the gateway speaks with the server behind it.

A gateway with an older server behind it can't ask a newer client in the middle of a call: see docs/passthrough.md.
"""


@pytest.mark.req("GW-08", "UP-06")
@pytest.mark.parametrize(("version", "mode"), LEGS)
async def test_the_conformance_suite_finds_behind_a_gateway_what_it_finds_without(
    run: Run, serve: Serve, version: str, mode: str
) -> None:
    async with serve("everything.py") as alone:
        bare = await _judged(run, alone, version)
        async with serve("gateway.py", alone, mode) as url:
            behind = await _judged(run, url, version)
    assert sum(bare.values()) > 75
    assert behind == bare


async def _judged(run: Run, url: str, version: str) -> dict[str, int]:
    """How many checks each scenario passed; one that fails fails the test."""
    words = ["server", "--url", url, "--suite", "all", "--spec-version", version]
    told = await asyncio.to_thread(run, CONFORMANCE, *words, accepting=(0, 1))
    assert re.search(r"Total: \d+ passed, 0 failed", told), told[told.rfind("SUMMARY") :]
    return {name: int(passed) for name, passed in re.findall(r"✓ ([\w-]+): (\d+) passed", told)}


def test_the_judges_are_where_they_are_looked_for(node: str) -> None:
    assert Path(node).is_file()
    assert CONFORMANCE.is_file()
