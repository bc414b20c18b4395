"""YAML to JSON values, as OpenAPI reads YAML: the core schema of YAML 1.2 and string keys (OpenAPI 3.1 section 4.3).

Built on the events of PyYAML's C parser and an explicit stack: no recursion, no constructors, no Python tags. `no`,
`on` and dates stay strings. Aliases share one value; what they would come to when written out is counted, so that
an alias bomb is refused before anything walks it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from sys import intern
from typing import Any, cast

import yaml
from yaml._yaml import CParser

from mcpbridge.errors import DescriptionError
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.limits import CollectorPaused, Deadline, ReadLimits

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
_CHECK_EVERY = 16


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
    with CollectorPaused():
        try:
            return _Composer(limits, deadline).compose(cast("Callable[[], Any]", CParser(text).get_event))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = " ".join(part for part in (error.context, error.problem) if part)
            raise DescriptionError(
                f"this is not YAML: {what or 'it cannot be parsed'}; correct the line",
                line=None if mark is None else mark.line + 1,
            ) from None
        except yaml.YAMLError as error:
            raise DescriptionError(f"this is not YAML: {' '.join(str(error).split())}; correct the text") from None


class _Composer:
    """One pass over the events. An open container's parent is (value, key or None in a list, anchor, nodes before)."""

    def __init__(self, limits: ReadLimits, deadline: Deadline) -> None:
        self.limits = limits
        self.deadline = deadline
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.open_anchors: set[str] = set()
        self.nodes = 0
        self.aliased = 0

    def compose(self, next_event: Callable[[], Any]) -> Any:  # noqa: PLR0912 - one loop for a million events
        """The value of the one document. The loop is one function, because it runs for each of a million events."""
        stack: list[tuple[Any, str | None, str | None, int]] = []
        root: list[Any] = []
        documents = 0
        top: Any = root
        keyed, key = False, ""  # whether `top` is a mapping that waits for the value of `key`
        mapping = False
        while (event := next_event()) is not None:
            kind: Any = event.__class__
            if kind is yaml.ScalarEvent:
                self.nodes += 1
                if mapping and not keyed:
                    keyed, key = True, intern(event.value)
                    continue
                value = self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._begin(event, len(stack), is_key=mapping and not keyed)
                stack.append((top, key if keyed else None, event.anchor, self.nodes + self.aliased))
                mapping = kind is yaml.MappingStartEvent
                top = {} if mapping else []
                keyed = False
                continue
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                value = top
                if mapping and _MERGE in value:
                    _merge(value)
                top, outer, anchor, before = stack.pop()
                if anchor is not None:
                    self.open_anchors.discard(anchor)
                    self.anchors[anchor] = (value, self.nodes + self.aliased - before + 1)
                keyed, key = outer is not None, outer or ""
                mapping = keyed
            elif kind is yaml.AliasEvent:
                value = self._alias(event)
                if mapping and not keyed:
                    keyed, key = True, str(value)
                    continue
            else:
                documents += kind is yaml.DocumentStartEvent
                if documents > 1:
                    raise _refused("there is more than one YAML document", event)
                continue
            if mapping:
                top[key] = value
                keyed = False
            else:
                top.append(value)
        return root[0] if root else None

    def _begin(self, event: Any, depth: int, *, is_key: bool) -> None:
        self.nodes += 1
        if is_key:
            raise _refused("a mapping or list is used as a key", event)
        self._tagged(event)
        if event.anchor is not None:
            self.open_anchors.add(event.anchor)
        if depth >= self.limits.depth:
            raise _refused(f"it is nested deeper than {self.limits.depth} levels", event)
        if self.nodes % _CHECK_EVERY == 0:
            self.deadline.check()

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
    for source in sources if is_list(sources) else [sources]:
        if is_object(source):
            for key, inner in source.items():
                value.setdefault(key, inner)


def _refused(why: str, event: Any) -> DescriptionError:
    return DescriptionError(f"this YAML cannot be read: {why}", line=event.start_mark.line + 1)
