"""Where the nodes of a YAML text stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import yaml
from yaml._yaml import CParser

Wanted: TypeAlias = "dict[str, Wanted]"
"""The keys that are asked for, level by level."""


def yaml_lines(text: str, wanted: Wanted) -> Iterator[tuple[tuple[str, ...], int]]:
    """The line of each wanted path that there is; an entry of a mapping stands where its key does."""
    stack: list[list[Any]] = []
    top: list[Any] | None = None  # [wanted below or None, path, is a mapping, key or index, line of the key]
    next_event: Callable[[], Any] = CParser(text).get_event
    while (event := next_event()) is not None:
        kind: Any = event.__class__
        if kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            top = stack.pop()[0]
            _advance(top)
            continue
        begins = kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent
        if not begins and kind is not yaml.ScalarEvent and kind is not yaml.AliasEvent:
            continue
        line = event.start_mark.line + 1
        if top is not None and top[2] and top[3] is None:
            top[3], top[4] = getattr(event, "value", ""), line
            continue
        path, below = _child(top, wanted)
        if below is not None:
            yield path, line if top is None or not top[2] else top[4]
        if begins:
            stack.append([top])
            mapping = kind is yaml.MappingStartEvent
            top = [below, path, mapping, None if mapping else 0, line]
        else:
            _advance(top)


def _child(top: list[Any] | None, wanted: Wanted) -> tuple[tuple[str, ...], Wanted | None]:
    if top is None:
        return (), wanted
    key = str(top[3])
    return (*top[1], key), None if top[0] is None else top[0].get(key)


def _advance(top: list[Any] | None) -> None:
    if top is not None:
        top[3] = None if top[2] else top[3] + 1
