"""Alternatives that a value could come from both, and mean another thing in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from mcpbridge.dialects.back import Back, Items, Members, Named, Union
from mcpbridge.dialects.made import Made
from mcpbridge.openapi.jsontext import is_list
from mcpbridge.tools import Json

Behind: TypeAlias = Callable[[Made], Made]
"""What a reference stands for; other things stand for themselves."""


def clash(one: Made, other: Made, behind: Behind) -> bool:
    """Whether some text would be read as JSON, or by a table, in one of them and not, or by another, in the other."""
    return _Comparison(behind).clash(one, other)


class _Comparison:
    """Compares two alternatives; each pair of definitions once, so that those that hold themselves come to an end."""

    def __init__(self, behind: Behind) -> None:
        self.behind = behind
        self.seen: set[tuple[str, str]] = set()

    def clash(self, one: Made, other: Made) -> bool:
        if isinstance(one.back, Named) and isinstance(other.back, Named):
            pair = (one.back.name, other.back.name)
            if pair in self.seen or pair[0] == pair[1]:
                return False
            self.seen.add(pair)
        one, other = self.behind(one), self.behind(other)
        if one.back is None and other.back is None:
            return False
        for first, second in ((one, other), (other, one)):
            if "anyOf" in first.schema:
                return any(self.clash(branch, second) for branch in branches_of(first))
        kinds = one.schema.get("type"), other.schema.get("type")
        if kinds == ("string", "string"):
            return one.back != other.back and not _apart(one.schema, other.schema)
        if kinds == ("array", "array"):
            return self.clash(_items(one), _items(other))
        return kinds == ("object", "object") and self._within(one, other)

    def _within(self, one: Made, other: Made) -> bool:
        """Two objects: those that no value fits both can't clash."""
        names = one.schema["properties"].keys(), other.schema["properties"].keys()
        needed = {*one.schema.get("required", ())}, {*other.schema.get("required", ())}
        if not needed[0] <= names[1] or not needed[1] <= names[0]:
            return False
        shared = [(_member(one, name), _member(other, name)) for name in names[0] & names[1]]
        if any(_apart(self.behind(mine).schema, self.behind(theirs).schema) for mine, theirs in shared):
            return False
        return any(self.clash(mine, theirs) for mine, theirs in shared)


def branches_of(made: Made) -> Sequence[Made]:
    """The alternatives of a union."""
    ways = made.back.branches if isinstance(made.back, Union) else [(each, None) for each in made.schema["anyOf"]]
    return [Made(schema=schema, back=back) for schema, back in ways if schema.get("type") != "null"]


def _apart(one: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    """Whether both are enumerated, and share no value."""
    return "enum" in one and "enum" in other and not {*one["enum"]} & {*other["enum"]}


def _items(made: Made) -> Made:
    return Made(schema=_bare(made.schema["items"]), back=made.back.back if isinstance(made.back, Items) else None)


def _member(made: Made, name: str) -> Made:
    members: Mapping[str, Back] = {}
    if isinstance(made.back, Members):
        members = {legal: member.back for legal, member in made.back.members.items()}
    return Made(schema=_bare(made.schema["properties"][name]), back=members.get(name))


def _bare(schema: Mapping[str, Json]) -> Mapping[str, Json]:
    """A schema without the null that it may allow."""
    kinds = schema.get("type")
    if is_list(kinds) and "null" in kinds:
        return {**schema, "type": next(kind for kind in kinds if kind != "null")}
    return schema
