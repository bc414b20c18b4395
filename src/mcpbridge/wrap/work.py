"""How much work a schema makes of one value, counted before a validator is trusted with it.

Schemas that stand in the same place (`allOf`, `anyOf`, `$ref` …) are all tried on one value, and each of theirs again:
thirty definitions that each name the next one twice are a thousand million steps, and their errors fill the memory.
No validator has a limit for that, and one that runs can't be stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from referencing import Registry, Specification
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012, Schema, SchemaResource, UnknownDialect, specification_with

from mcpbridge.tools import Json
from mcpbridge.wrap.plain import is_list, is_object

ONE_VALUE = 10_000
"""How many schemas may be tried on one value; real descriptions have some hundreds at most."""

WHOLE = 200_000
"""How many steps are counted for one schema, all places together (some tenths of a second)."""

_REFERRED = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
_HERE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"})
_BELOW = frozenset(
    {
        "properties",
        "patternProperties",
        "additionalProperties",
        "unevaluatedProperties",
        "propertyNames",
        "prefixItems",
        "items",
        "additionalItems",
        "unevaluatedItems",
        "contains",
    }
)
_NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", "dependencies"})
_IDS = frozenset({"$id", "id"})

if TYPE_CHECKING:
    from referencing._core import Resolver  # what `Registry.resolver` gives; referencing exports no name for it

_Node: TypeAlias = Mapping[str, Json]


def work_of(schema: _Node) -> int | None:
    """How many schemas are tried on one value at most, circles walked through once; None for more than `ONE_VALUE`."""
    graph = _Graph(schema)
    waiting, known, left, most = [schema], {id(schema)}, WHOLE, 0
    while waiting:
        steps = 0
        for node in _tried(waiting.pop(), graph):
            steps += 1
            if steps > min(ONE_VALUE, left):
                return None
            for child in graph.below(node):
                if id(child) not in known:
                    known.add(id(child))
                    waiting.append(child)
        left, most = left - steps, max(most, steps)
    return most


def _tried(start: _Node, graph: _Graph) -> Iterator[_Node]:
    """Every schema that is tried on a value of this place, as often as it is; a circle ends where it closes."""
    around: set[int] = set()
    stack: list[tuple[_Node, bool]] = [(start, False)]
    while stack:
        node, left = stack.pop()
        if left:
            around.discard(id(node))
        elif id(node) not in around:
            yield node
            around.add(id(node))
            stack.append((node, True))
            stack += [(each, False) for each in graph.here(node)]


class _Graph:
    """What stands in the same place as a schema, and what one place below; worked out once for each."""

    def __init__(self, schema: _Node) -> None:
        self._dialect = _dialect(schema)
        resource: SchemaResource = self._dialect.create_resource(schema)
        self._resolvers = {id(schema): Registry[Schema]().with_resource("", resource).resolver()}
        self._here: dict[int, list[_Node]] = {}

    def here(self, node: _Node) -> list[_Node]:
        found = self._here.get(id(node))
        if found is None:
            found = self._here[id(node)] = [*self._within(node, _HERE), *self._referred(node)]
        return found

    def below(self, node: _Node) -> Iterator[_Node]:
        return self._within(node, _BELOW)

    def _within(self, node: _Node, keywords: frozenset[str]) -> Iterator[_Node]:
        resolver = self._resolver(node)
        for keyword in keywords & node.keys():
            for each in _schemas(keyword, node[keyword]):
                self._resolvers.setdefault(id(each), resolver)
                yield each

    def _referred(self, node: _Node) -> Iterator[_Node]:
        for keyword in _REFERRED & node.keys():
            try:
                found = self._resolver(node).lookup(node[keyword])
            except Unresolvable:  # the validator says so where it matters
                continue
            if is_object(found.contents):
                self._resolvers.setdefault(id(found.contents), found.resolver)
                yield found.contents

    def _resolver(self, node: _Node) -> Resolver[Schema]:
        resolver: Resolver[Schema] = self._resolvers[id(node)]
        return resolver.in_subresource(self._dialect.create_resource(node)) if _IDS & node.keys() else resolver


def _schemas(keyword: str, value: Json) -> Iterator[_Node]:
    """The schemas that a keyword holds: one, or several in a list or under names."""
    if is_list(value):
        members: Iterable[Json] = value
    else:
        members = value.values() if keyword in _NAMED and is_object(value) else (value,)
    return (member for member in members if is_object(member))


def _dialect(schema: _Node) -> Specification[Schema]:
    named = schema.get("$schema")
    try:
        return specification_with(named) if isinstance(named, str) else DRAFT202012
    except UnknownDialect:  # the validator will say so
        return DRAFT202012
