"""The audit as JSON lines, and as a host's callable."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from audited import CANCELLED, events

from mcpbridge.audit.chains import verify_entries
from mcpbridge.audit.file import FileSink, verify_files
from mcpbridge.audit.host import HostSink
from mcpbridge.wrap.audit_event import AuditEntry


async def filled(path: Path, count: int = 5) -> FileSink:
    sink = FileSink(path)
    await sink.append(events(count))
    return sink


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("ascii")
    assert old in text
    path.write_text(text.replace(old, new), "ascii")


async def test_each_event_is_one_line_that_json_reads(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    sink = await filled(path)
    await sink.append(events(2))
    lines = [json.loads(line) for line in path.read_text("ascii").splitlines()]

    assert [line["number"] for line in lines] == [1, 2, 3, 4, 5, 6, 7]
    assert lines[0]["event"] == CANCELLED.to_json() | {"what": "tool_0"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await sink.verify() == []


@pytest.mark.req("ATK-63")
async def test_line_ends_and_escapes_in_a_name_stay_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    sink = FileSink(path)
    hostile = "x\r\n\x1b[2J\x7f\x85\u2028\ud800"
    await sink.append([replace(CANCELLED, what=hostile)])
    [line] = path.read_text("ascii").splitlines()

    assert line.isprintable()
    assert json.loads(line)["event"]["what"] == hostile
    assert await sink.verify() == []


@pytest.mark.req("ATK-63", "AUD-01")
@pytest.mark.parametrize(("old", "new"), [("tool_2", "tool_9"), ('"number": 3', '"number": 4'), ("ada", "eve")])
async def test_an_edited_line_is_named(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "audit.jsonl"
    sink = await filled(path)
    edit(path, old, new)
    [problem] = await sink.verify()

    assert problem.number == (1 if old == "ada" else 3)


@pytest.mark.req("ATK-63", "AUD-01")
async def test_a_deleted_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    sink = await filled(path)
    lines = path.read_text("ascii").splitlines(keepends=True)
    path.write_text("".join(lines[:1] + lines[2:]), "ascii")

    assert [(problem.number, problem.message) for problem in await sink.verify()] == [(2, "entry 2 is missing")]


async def test_lines_cut_off_the_end_are_missed_by_who_knows_the_end(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    sink = await filled(path)
    path.write_text("".join(path.read_text("ascii").splitlines(keepends=True)[:3]), "ascii")

    assert verify_files([path]) == []
    assert [problem.number for problem in verify_files([path], known=await sink.ends())] == [4]


@pytest.mark.parametrize("line", ["", "{", "5", "null", "[]", "{}", '{"writer": []}', "[" * 100_000])
async def test_a_line_that_is_no_entry_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "audit.jsonl"
    sink = await filled(path, 2)
    path.write_text(path.read_text("ascii") + line + "\n", "ascii")

    assert [(problem.writer, problem.number) for problem in await sink.verify()] == [("", 3)]


async def test_a_file_that_was_moved_away_and_its_successor_are_one_chain(tmp_path: Path) -> None:
    path, old = tmp_path / "audit.jsonl", tmp_path / "audit.1.jsonl"
    sink = await filled(path)
    path.rename(old)
    await sink.append(events(5))

    assert verify_files([old, path], known=await sink.ends()) == []
    assert [problem.number for problem in verify_files([path])] == [1]


FULL = """
import asyncio, resource, sys
from pathlib import Path
from mcpbridge.audit.file import FileSink
from mcpbridge.wrap.audit_event import AuditEvent

async def main(path):
    sink = FileSink(path)
    event = AuditEvent(kind="call", what="x" * 200, action="tool", outcome="ok", at=1.0)
    await sink.append([event])
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
    try:
        await sink.append([event] * 20)
    except OSError as error:
        print("refused", error.errno)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await sink.append([event])
    print(len(path.read_bytes().splitlines()), await sink.verify())

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.req("FLT-26")
@pytest.mark.skipif(os.name != "posix", reason="the limit on a file's size is POSIX's")
def test_a_full_disk_leaves_no_line_cut_off(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "audit.jsonl")], capture_output=True, text=True, check=True
    )

    assert done.stdout.split("\n")[:2] == ["refused 27", "2 []"]


async def test_a_host_gets_the_same_entries_again_where_it_failed() -> None:
    kept, tries = list[AuditEntry](), list[AuditEntry]()

    async def take(entries: list[AuditEntry]) -> None:
        tries.extend(entries)
        if len(tries) == 2:
            raise OSError("down")
        kept.extend(entries)

    sink = HostSink(take)
    with pytest.raises(OSError, match="down"):
        await sink.append(events(2))
    await sink.append(events(2))
    await sink.append(events(3))

    assert tries[:2] == tries[2:4]
    assert verify_entries(kept) == []
    assert verify_entries(kept[1:]) != []
