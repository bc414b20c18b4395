"""Two schemas side by side: what their references lead to, and which pairs were compared already. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, cast
from urllib.parse import unquote

from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.tools import Json

Pair: TypeAlias = tuple[str, str]

WORK = 100_000
"""Pairs of schemas that are compared for one tool; what is left then counts as changed."""

_HOPS = 50
_NOWHERE = object()


@dataclass(slots=True)
class Work:
    """How many pairs may still be compared."""

    left: int = WORK


@dataclass(frozen=True, slots=True)
class Roots:
    """The two whole schemas that `$ref`s point into.

    `open` holds the pairs of references that are being compared: recursion ends there. `done` holds those that were,
    each with its first place and whether it breaks. A `trial` only asks, so that it remembers nothing.
    """

    old: Mapping[str, Json]
    new: Mapping[str, Json]
    same_definitions: bool
    open: set[Pair] = field(default_factory=set[Pair])
    done: dict[Pair, tuple[str, bool]] = field(default_factory=dict[Pair, tuple[str, bool]])
    work: Work = field(default_factory=Work)
    trial: bool = False

    @classmethod
    def of(cls, old: Mapping[str, Json], new: Mapping[str, Json]) -> Roots:
        """The roots of a comparison that begins."""
        return cls(old, new, all(same(old.get(name), new.get(name)) for name in ("$defs", "definitions")))

    def asking(self) -> Roots:
        """The same roots, for a comparison of which nothing is reported."""
        return replace(self, open={*self.open}, trial=True)


def pair_of(old: Json, new: Json) -> Pair | None:
    """What a pair of references is known by; None where one of the two is none."""
    return (repr(old), repr(new)) if reference(old) and reference(new) else None


def equal(old: Json, new: Json, roots: Roots) -> bool:
    """Whether two schemas are the same, in what they refer to as well."""
    return same(old, new) and (roots.same_definitions or not _refers(old))


def same(one: Json, other: Json) -> bool:
    """Whether two are the same JSON: for Python True is 1 as well (JSON Schema 2020-12 section 4.2.2)."""
    return bool(one == other) and (repr(one) == repr(other) or _same(one, other))


def _same(one: Json, other: Json) -> bool:
    if is_object(one) and is_object(other):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if is_list(one) and is_list(other):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def followed(schema: Json, root: Mapping[str, Json]) -> Json:
    """What a schema says with what its `$ref` leads to (a JSON pointer into the root); siblings of the `$ref` win.

    None for a reference that leads nowhere.
    """
    hops = 0
    while ref := reference(schema):
        target = _pointed(ref, root) if hops < _HOPS else _NOWHERE
        if target is _NOWHERE:
            return None
        siblings = {name: value for name, value in cast("dict[str, Json]", schema).items() if name != "$ref"}
        schema = {**cast("dict[str, Json]", target), **siblings} if isinstance(target, dict) else target
        hops += 1
    return schema


def reference(schema: Json) -> str:
    """The `$ref` of a schema, or an empty text."""
    ref = cast("dict[str, Json]", schema).get("$ref") if isinstance(schema, dict) else None
    return ref if isinstance(ref, str) else ""


def _pointed(ref: str, root: Mapping[str, Json]) -> object:
    """The value at a JSON pointer in a URI fragment (RFC 6901 section 6)."""
    if ref != "#" and not ref.startswith("#/"):
        return _NOWHERE
    value: object = root
    for part in unquote(ref[2:]).split("/") if len(ref) > 2 else ():
        if not isinstance(value, Mapping):
            return _NOWHERE
        value = cast("Mapping[str, object]", value).get(part.replace("~1", "/").replace("~0", "~"), _NOWHERE)
    return value


def _refers(schema: Json) -> bool:
    waiting: list[Json] = [schema]
    while waiting:
        value = waiting.pop()
        if is_object(value):
            if "$ref" in value:
                return True
            waiting.extend(value.values())
        elif is_list(value):
            waiting.extend(value)
    return False
