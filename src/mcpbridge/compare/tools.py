"""The difference between two sets of tools, classified by what it means for their callers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from mcpbridge.compare.changes import Change
from mcpbridge.compare.labels import compare_labels, compare_words
from mcpbridge.compare.schemas import compare_schemas
from mcpbridge.errors import ConfigError
from mcpbridge.tools import Json, Tool


def diff(old: Iterable[Tool], new: Iterable[Tool]) -> Sequence[Change]:
    """Every change from the old tools to the new ones, sorted by tool.

    A tool is the same where its name is. Re-importing a changed description is the usual case: `read_operations` and
    `to_tool` on both, and `diff` of the results.

    Raises: ConfigError for what is no list of tools, and for a tool whose schema is none.
    """
    before, after = _by_name(old, "old"), _by_name(new, "new")
    return [change for name in sorted({*before, *after}) for change in _one(name, before.get(name), after.get(name))]


def _by_name(tools: object, which: str) -> Mapping[str, Tool]:
    kind = type(tools).__name__
    if isinstance(tools, str | bytes | Mapping) or not isinstance(tools, Iterable):
        raise ConfigError(
            f"diff() compares lists of Tool, and {which} is a {kind}: make tools of a description "
            "with read_operations and to_tool, and of a tool list as JSON with read_tools"
        )
    found: dict[str, Tool] = {}
    for tool in cast("Iterable[object]", tools):
        if not isinstance(tool, Tool):
            raise ConfigError(f"{which} holds a {type(tool).__name__} where a Tool is expected: read_tools makes them")
        for schema in (tool.input_schema, tool.output_schema or {}):
            if not isinstance(cast("object", schema), Mapping):
                raise ConfigError(
                    f"the schema of {tool.name!r} in {which} is a {type(schema).__name__}, no JSON Schema object"
                )
        found[tool.name] = tool
    return found


def _one(name: str, old: Tool | None, new: Tool | None) -> Iterator[Change]:
    if new is None:
        yield Change(effect="removed", tool=name, pointer="", message="the tool is gone")
    elif old is None:
        yield Change(effect="added", tool=name, pointer="", message=f"a new tool that {new.access}s")
    else:
        yield from _changed(old, new)


def _changed(old: Tool, new: Tool) -> Iterator[Change]:
    for effect, pointer, message in (*compare_labels(old, new), *compare_words(old, new)):
        yield Change(effect=effect, tool=new.name, pointer=pointer, message=message)
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
