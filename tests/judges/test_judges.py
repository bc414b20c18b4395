"""What the judges say of a gateway of ours."""

from __future__ import annotations

import asyncio
import json
import re
import sys
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

MISSING = {
    "2025-11-25": {"logging-set-level", "tools-call-with-logging", "resources-subscribe", "resources-unsubscribe"},
    "2026-07-28": {"server-stateless"},
}
"""Scenarios with checks that fail: they need logging, subscriptions, or tools that a source without them can't have."""


@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
async def test_the_conformance_suite_finds_nothing_but_what_is_not_there_yet(
    run: Run, serve: Serve, version: str
) -> None:
    async with serve("everything.py") as url:
        words = ["server", "--url", url, "--suite", "all", "--spec-version", version]
        told = await asyncio.to_thread(run, CONFORMANCE, *words, accepting=(0, 1))
    failed = {*re.findall(r"✗ ([\w-]+):", told)}
    assert re.search(r"Total: \d+ passed", told)
    assert failed == MISSING[version], told[told.rfind("SUMMARY") :]


def test_the_judges_are_where_they_are_looked_for(node: str) -> None:
    assert Path(node).is_file()
    assert CONFORMANCE.is_file()
