"""Where the nodes of a text stand: JSON pointers to line numbers, found when a person asks and not before."""

from __future__ import annotations

import json
import json.decoder
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, cast

_Wanted: TypeAlias = "dict[str, _Wanted]"
_scan_string = cast("Callable[[str, int], tuple[str, int]]", vars(json.decoder)["scanstring"])
_SPACE = re.compile(r"[ \t\r\n]*")
_FIRST_LINE = 1


def lines_of(text: str, pointers: Iterable[str]) -> Mapping[str, int]:
    """The line (from 1) of each pointer's node; of its nearest parent that stands there, where it does not."""
    wanted: _Wanted = {}
    pointers = list(pointers)
    for pointer in pointers:
        level = wanted
        for key in _keys(pointer):
            level = level.setdefault(key, {})
    start = text.lstrip("\ufeff \t\r\n")[:1]
    found = _json_offsets(text, wanted) if start in ("{", "[") else _yaml_lines(text, wanted)
    return {pointer: _nearest(found, _keys(pointer)) for pointer in pointers}


def _keys(pointer: str) -> tuple[str, ...]:
    return tuple(key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:])


def _nearest(found: Mapping[tuple[str, ...], int], keys: tuple[str, ...]) -> int:
    while keys and keys not in found:
        keys = keys[:-1]
    return found.get(keys, _FIRST_LINE)


def _json_offsets(text: str, wanted: _Wanted) -> dict[tuple[str, ...], int]:
    """Skips what nobody asks for with the JSON scanner itself, so that the cost is about one parse."""
    offsets: dict[tuple[str, ...], int] = {}
    scan = cast("Callable[[str, int], tuple[Any, int]]", vars(json.JSONDecoder())["scan_once"])
    space = _SPACE.match

    def skip(at: int) -> int:
        found = space(text, at)
        return found.end() if found else at

    def descend(at: int, level: _Wanted, path: tuple[str, ...]) -> int:
        offsets[path] = at
        if not level or text[at] not in "{[":
            return scan(text, at)[1]
        return members(at, level, path)

    def members(at: int, level: _Wanted, path: tuple[str, ...]) -> int:
        mapping = text[at] == "{"
        at = skip(at + 1)
        index = 0
        while text[at] not in "}]":
            key = str(index)
            begins = at
            if mapping:
                key, at = _scan_string(text, at + 1)
                at = skip(skip(at) + 1)
            if key in level:
                at = descend(at, level[key], (*path, key))
                offsets[*path, key] = begins
            else:
                at = scan(text, at)[1]
            at = skip(at)
            if text[at] == ",":
                at = skip(at + 1)
            index += 1
        return at + 1

    try:
        descend(skip(1 if text.startswith("\ufeff") else 0), wanted, ())
    except (StopIteration, ValueError, IndexError, RecursionError):
        return {}
    return _to_lines(text, offsets)


def _yaml_lines(text: str, wanted: _Wanted) -> Mapping[tuple[str, ...], int]:
    from mcpbridge.openapi.yamllines import yaml_lines  # noqa: PLC0415 - the import budget: JSON needs no YAML parser

    return dict(yaml_lines(text, wanted))


def _to_lines(text: str, offsets: Mapping[tuple[str, ...], int]) -> dict[tuple[str, ...], int]:
    lines: dict[tuple[str, ...], int] = {}
    line, before = 1, 0
    for path, offset in sorted(offsets.items(), key=lambda item: item[1]):
        line += text.count("\n", before, offset)
        before = offset
        lines[path] = line
    return lines
