"""The difference between two sets of tools, classified by what it means for their callers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mcpbridge.compare.changes import Change
from mcpbridge.compare.schemas import compare_schemas
from mcpbridge.tools import Json, Tool


def diff(old: Iterable[Tool], new: Iterable[Tool]) -> Sequence[Change]:
    """Every change from the old tools to the new ones, sorted by tool.

    A tool is the same where its name is. Re-importing a changed description is the usual case: `read_operations` and
    `to_tool` on both, and `diff` of the results.
    """
    before, after = {tool.name: tool for tool in old}, {tool.name: tool for tool in new}
    return [change for name in sorted({*before, *after}) for change in _one(name, before.get(name), after.get(name))]


def _one(name: str, old: Tool | None, new: Tool | None) -> Iterator[Change]:
    if new is None:
        yield Change(effect="removed", tool=name, pointer="", message="the tool is gone")
    elif old is None:
        yield Change(effect="added", tool=name, pointer="", message=f"a new tool that {new.access}s")
    else:
        yield from _changed(old, new)


def _changed(old: Tool, new: Tool) -> Iterator[Change]:
    if old.access != new.access:
        lowered = new.access == "read"
        yield Change(
            effect="access_lowered" if lowered else "compatible",
            tool=new.name,
            pointer="/annotations/readOnlyHint",
            message=f"said that it {old.access}s, says that it {new.access}s",
        )
    if old.description != new.description:
        yield Change(effect="text", tool=new.name, pointer="/description", message="the description reads otherwise")
    yield from _schema(new.name, "/inputSchema", old.input_schema, new.input_schema)
    if old.output_schema != new.output_schema:
        yield from _answers(new.name, "/outputSchema", old.output_schema or {}, new.output_schema or {})


def _answers(tool: str, pointer: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[Change]:
    """Who reads answers is broken by values that the old schema did not have: the other way round than arguments."""
    words = {place: message for _, place, message in compare_schemas(old, new, pointer)}
    for effect, place, message in compare_schemas(new, old, pointer):
        yield Change(effect=effect, tool=tool, pointer=place, message=words.get(place, message))


def _schema(tool: str, pointer: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[Change]:
    for effect, place, message in compare_schemas(old, new, pointer):
        yield Change(effect=effect, tool=tool, pointer=place, message=message)
