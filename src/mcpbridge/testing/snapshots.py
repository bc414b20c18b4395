"""`assert_tools`: the tools of a source are those of a snapshot that is kept beside the test."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Iterable, Iterator
from pathlib import Path
from typing import overload

from mcpbridge.compare.changes import Effect
from mcpbridge.compare.report import report
from mcpbridge.compare.snapshot import read_tools, snapshot_text
from mcpbridge.compare.tools import diff
from mcpbridge.errors import ConfigError
from mcpbridge.source.base import ToolSource
from mcpbridge.testing.running import RUNNING
from mcpbridge.tools import ANYONE, Caller, Tool

UPDATE = "pytest --mcpbridge-update"


@overload
def assert_tools(
    source: ToolSource, snapshot: str | Path, *, caller: Caller = ANYONE, allow: Collection[Effect] = ()
) -> Awaitable[None]: ...
@overload
def assert_tools(
    source: Iterable[Tool], snapshot: str | Path, *, caller: Caller = ANYONE, allow: Collection[Effect] = ()
) -> None: ...
def assert_tools(
    source: ToolSource | Iterable[Tool],
    snapshot: str | Path,
    *,
    caller: Caller = ANYONE,
    allow: Collection[Effect] = (),
) -> Awaitable[None] | None:
    """Compares tools with a snapshot, a JSON file whose path starts from the folder of the test's file.

    A list of tools is compared at once. A source is asked for what this caller sees, so that its check is awaited:
    `await assert_tools(source, "tools.json")`; a test that forgets it fails. Changes of the effects in `allow` pass
    (`{"added", "text"}`, say). `pytest --mcpbridge-update` writes snapshots instead.

    Raises: AssertionError with the classified difference, or where there is no snapshot yet; ConfigError for a file
    that is no snapshot, and for what are no tools.
    """
    path = RUNNING.folder / snapshot
    if not isinstance(source, ToolSource):
        _compare(source, path, allow)
        return None
    RUNNING.begun.add(str(snapshot))
    return _listed(source, caller, path, allow, str(snapshot))


async def _listed(source: ToolSource, caller: Caller, path: Path, allow: Collection[Effect], name: str) -> None:
    __tracebackhide__ = True
    RUNNING.begun.discard(name)
    _compare(await source.list_tools(caller), path, allow)


def _compare(tools: Iterable[Tool], path: Path, allow: Collection[Effect]) -> None:
    __tracebackhide__ = True
    found = [*tools] if isinstance(tools, Iterator) else tools
    kept = _kept(path)
    changes = diff(kept or (), found)
    if RUNNING.update:
        if kept is None or changes:
            _write(path, found)
        return
    if kept is None:
        raise AssertionError(f"there is no snapshot {str(path)!r} yet: run {UPDATE}, read it, and commit it")
    if all(change.effect in allow for change in changes):
        return
    lines = "\n".join(report(changes))
    raise AssertionError(f"the tools are not those of {path}:\n{lines}\nWhere this is meant, run {UPDATE}.")


def _write(path: Path, tools: Iterable[Tool]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(snapshot_text(tools), "utf-8")
    RUNNING.written.append(path)


def _kept(path: Path) -> Iterable[Tool] | None:
    """The tools of the snapshot, None where there is none; one that can't be read is written anew on an update."""
    try:
        return read_tools(path.read_bytes(), where=str(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"the snapshot {str(path)!r} can't be read: {error.strerror or error}") from error
    except ConfigError:
        if RUNNING.update:
            return None
        raise
