"""YAML to JSON values, as OpenAPI reads YAML: the core schema of YAML 1.2 and string keys (OpenAPI 3.1 section 4.3).

Built on the events of PyYAML's C parser and an explicit stack: no recursion, no constructors, no Python tags. `no`,
`on` and dates stay strings. Aliases share one value; what they would come to when written out is counted, so that
an alias bomb is refused before anything walks it.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from sys import intern
from typing import Any

import yaml
from yaml.cyaml import CParser

from mcpbridge.errors import DescriptionError
from mcpbridge.openapi.limits import Deadline, ReadLimits

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}\Z")
_BASED = re.compile(r"0(?:o[0-7]{1,300}|x[0-9a-fA-F]{1,250})\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NUMERIC = frozenset("0123456789+-.")
_TAGS: dict[str, type | None] = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:int": None,
    "tag:yaml.org,2002:float": None,
    "tag:yaml.org,2002:bool": None,
    "tag:yaml.org,2002:null": None,
    "tag:yaml.org,2002:timestamp": str,
    "tag:yaml.org,2002:binary": str,
    "tag:yaml.org,2002:map": None,
    "tag:yaml.org,2002:seq": None,
    "!": str,
}
"""The tags that are read, and whether they make a scalar text. Any other is refused: it asks for a program's object."""

_MERGE = "<<"
_CHECK_EVERY = 65_536


def scalar(text: str) -> Any:
    """A plain scalar by the core schema (YAML 1.2 section 10.3.2); numbers that JSON cannot write stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    if _INTEGER.match(text):
        return int(text)
    if _BASED.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        number = float(text)
        return number if number - number == 0 else text
    return text


def load_yaml(text: str, limits: ReadLimits, deadline: Deadline) -> Any:
    """The JSON value of the one document in a YAML text.

    Raises: DescriptionError, with the line, for what is no YAML, for an unknown tag, and past a limit.
    """
    with _collector_paused():
        try:
            return _Composer(limits, deadline).compose(CParser(text).get_event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = " ".join(part for part in (error.context, error.problem) if part)
            raise DescriptionError(
                f"this is not YAML: {what or 'it cannot be parsed'}; correct the line",
                line=None if mark is None else mark.line + 1,
            ) from None
        except yaml.YAMLError as error:
            raise DescriptionError(f"this is not YAML: {' '.join(str(error).split())}; correct the text") from None


@contextmanager
def _collector_paused() -> Iterator[None]:
    """The cyclic collector would scan a growing tree again and again, and find nothing."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


class _Composer:
    """One pass over the events. An open container is (value, pending key or None, anchor, nodes before it)."""

    def __init__(self, limits: ReadLimits, deadline: Deadline) -> None:
        self.limits = limits
        self.deadline = deadline
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.open_anchors: set[str] = set()
        self.nodes = 0
        self.aliased = 0

    def compose(self, next_event: Callable[[], Any]) -> Any:
        stack: list[list[Any]] = []
        root: list[Any] = []
        documents = 0
        top: Any = root
        key: str | None = None
        while (event := next_event()) is not None:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self.nodes += 1
                if type(top) is dict and key is None:
                    key = intern(event.value)
                    continue
                value = self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self.nodes += 1
                if type(top) is dict and key is None:
                    raise _refused("a mapping or list is used as a key", event)
                self._tagged(event)
                value = {} if kind is yaml.MappingStartEvent else []
                if event.anchor is not None:
                    self.open_anchors.add(event.anchor)
                stack.append([top, key, event.anchor, self.nodes + self.aliased])
                if len(stack) > self.limits.depth:
                    raise _refused(f"it is nested deeper than {self.limits.depth} levels", event)
                top, key = value, None
                if self.nodes % _CHECK_EVERY < 2:
                    self.deadline.check()
                continue
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                value = top
                if type(value) is dict and _MERGE in value:
                    _merge(value)
                top, key, anchor, before = stack.pop()
                if anchor is not None:
                    self.open_anchors.discard(anchor)
                    self.anchors[anchor] = (value, self.nodes + self.aliased - before + 1)
            elif kind is yaml.AliasEvent:
                value = self._alias(event)
                if type(top) is dict and key is None:
                    key = value if isinstance(value, str) else str(value)
                    continue
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise _refused("there is more than one YAML document", event)
                continue
            else:
                continue
            if type(top) is dict:
                top[key] = value
                key = None
            else:
                top.append(value)
        return root[0] if root else None

    def _scalar(self, event: Any) -> Any:
        plain, _ = event.implicit
        tag = event.tag
        if tag is None:
            value = scalar(event.value) if plain else event.value
        else:
            value = event.value if self._tagged(event) is str else scalar(event.value)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, 1)
        return value

    def _tagged(self, event: Any) -> type | None:
        tag = event.tag
        if tag is None:
            return None
        if tag not in _TAGS:
            raise _refused(f"the tag {tag!r} is not read: descriptions hold plain JSON values", event)
        return _TAGS[tag]

    def _alias(self, event: Any) -> Any:
        if event.anchor in self.open_anchors:
            raise _refused(f"the alias {event.anchor!r} stands inside what it repeats", event)
        if event.anchor not in self.anchors:
            raise _refused(f"the alias {event.anchor!r} has no anchor before it", event)
        value, size = self.anchors[event.anchor]
        self.aliased += size
        if self.aliased > self.limits.aliases:
            raise _refused(f"its aliases come to more than {self.limits.aliases} nodes", event)
        return value


def _merge(value: dict[str, Any]) -> None:
    """Applies `<<`, which YAML 1.2 dropped and every reader of descriptions still knows; own keys win."""
    sources = value.pop(_MERGE)
    for source in sources if isinstance(sources, list) else [sources]:
        if isinstance(source, dict):
            for key, inner in source.items():
                value.setdefault(key, inner)


def _refused(why: str, event: Any) -> DescriptionError:
    return DescriptionError(f"this YAML cannot be read: {why}", line=event.start_mark.line + 1)
