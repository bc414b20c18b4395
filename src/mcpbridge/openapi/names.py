"""Names of tools and of arguments: made from what the description says, by rules that never depend on order.

A name that providers accept is kept. Otherwise runs of other characters become `_`, and outer `_`, `-` and `.` go. A
name that is too long is cut, and ends in `_` and eight hex digits of the SHA-256 of the whole. What is left empty
is all digest. Names that fall together are told apart as `tool_names` and `argument_names` say.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mcpbridge.errors import ConfigError

ARGUMENT_LIMIT = 64
SHORTEST_LIMIT = 16

_TOOL = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9_-]*[a-zA-Z0-9])?\Z")
_NOT_TOOL = re.compile(r"[^a-zA-Z0-9-]+")
_ARGUMENT = re.compile(r"[a-zA-Z0-9_.-]{1,64}\Z")
_NOT_ARGUMENT = re.compile(r"[^a-zA-Z0-9_.-]+")
_COMPARED = {"<=": "_lte", ">=": "_gte", "<": "_lt", ">": "_gt", "!=": "_ne", "!": "_not", "~": "_like"}
_COMPARISON = re.compile(r"(?<=[a-zA-Z0-9])(<=|>=|<|>|!=|!|~)\Z")


class Endpoint(NamedTuple):
    """What a tool's name is made from. `method` is in upper case; method and path together are unique."""

    operation_id: str | None
    method: str
    path: str


def digest(text: str) -> str:
    """Eight hex digits that stand for a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def tool_names(endpoints: Sequence[Endpoint], *, limit: int = 64) -> list[str]:
    """One name for each endpoint, all different, of at most `limit` characters out of `[a-zA-Z0-9_-]`.

    The operationId is taken, else method and path. Where several endpoints come to one name, the one that is written
    exactly so keeps it, if there is just one such; the others get their method and path after it, and where even that
    falls together, a digest of both.

    Raises: ConfigError for a limit under 16.
    """
    if limit < SHORTEST_LIMIT:
        raise ConfigError(f"a name limit of {limit} leaves no room; at least {SHORTEST_LIMIT} is needed")
    first = [tool_name(_source(each), limit) for each in endpoints]
    return _apart(first, endpoints, limit)


def tool_name(source: str, limit: int = 64) -> str:
    """A tool's name out of any text."""
    if len(source) <= limit and _TOOL.match(source):
        return source
    name = _NOT_TOOL.sub("_", source[:10_000]).strip("_-")
    return _fitted(name, source, limit, "tool")


def _source(endpoint: Endpoint) -> str:
    named = endpoint.operation_id
    if named and _NOT_TOOL.sub("", named):
        return named
    return _by_path(endpoint) if not named else f"{_by_path(endpoint)}_{digest(named)}"


def _by_path(endpoint: Endpoint) -> str:
    return f"{endpoint.method.lower()}_{endpoint.path}"


def _apart(names: list[str], endpoints: Sequence[Endpoint], limit: int) -> list[str]:
    groups: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        groups.setdefault(name, []).append(index)
    if len(groups) == len(names):
        return names
    apart = list(names)
    for name, members in groups.items():
        exact = [index for index in members if endpoints[index].operation_id == name]
        keeper = exact[0] if len(exact) == 1 else None
        for index in members if len(members) > 1 else ():
            if index != keeper:
                apart[index] = _told_apart(name, endpoints[index], limit)
    taken: dict[str, int] = {}
    for name in apart:
        taken[name] = taken.get(name, 0) + 1
    for index, name in enumerate(apart):
        if taken[name] > 1 and name != names[index]:
            apart[index] = _cut(name, f"{endpoints[index].method} {endpoints[index].path}", limit)
    return apart


def _told_apart(name: str, endpoint: Endpoint, limit: int) -> str:
    if endpoint.operation_id:
        return tool_name(f"{name}_{_by_path(endpoint)}", limit)
    return _cut(name, f"{endpoint.method} {endpoint.path}", limit)


def _fitted(name: str, source: str, limit: int, otherwise: str) -> str:
    if not name:
        return f"{otherwise}_{digest(source)}"
    return name if len(name) <= limit else _cut(name, source, limit)


def _cut(name: str, source: str, limit: int) -> str:
    return f"{name[: limit - 9].rstrip('_-.')}_{digest(source)}"


def is_argument_name(name: str) -> bool:
    """Whether model providers accept a name for an argument."""
    return _ARGUMENT.match(name) is not None


def argument_name(name: str) -> str:
    """An argument's name: `$filter` → `filter`, `page[size]` → `page_size`, `Created<` → `Created_lt`."""
    if _ARGUMENT.match(name):
        return name
    compared = _COMPARISON.sub(lambda found: _COMPARED[found[1]], name)
    return _fitted(_NOT_ARGUMENT.sub("_", compared).strip("_.-"), name, ARGUMENT_LIMIT, "arg")


def argument_names(places: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
    """The argument for each (where, name), in the order in which they claim names: parameters first, then the body.

    Names that need no change claim theirs first. Whoever finds a name taken becomes `NAME_WHERE`, then `NAME_WHERE_2`
    and so on. The whole body, of which the name is empty, is `body`, then `request_body`.
    """
    given: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    waiting: list[tuple[str, str]] = []
    for place in places:
        name = place[1] or "body"
        if name not in taken and _ARGUMENT.match(name):
            taken.add(name)
            given[place] = name
        else:
            waiting.append(place)
    for place in waiting:
        where, name = place
        stem = argument_name(name or "body")
        name = stem if stem not in taken else _free(_other(where, stem), taken)
        taken.add(name)
        given[place] = name
    return given


def _other(where: str, stem: str) -> str:
    if where == "whole":
        return "request_body"
    other = f"{stem}_{where}"
    return other if len(other) <= ARGUMENT_LIMIT else _cut(other, other, ARGUMENT_LIMIT)


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name[: ARGUMENT_LIMIT - 6]}_{number}"
    return free
