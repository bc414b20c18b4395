"""Reads `xml` hints out of schemas (OpenAPI 3.1 section 4.8.26, 3.2 section 4.26), each when a value needs it.

A reference stands for what is behind it: a hint beside it counts more, the name of the place where it stands less than
a name that the schema behind it states. `allOf` is one schema of all its members. From OpenAPI 3.2 on a component has
the component's name wherever it is referred to; before that, only as the root.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.namespaces import NCNAME
from mcpbridge.openapi.problems import Trail, pointer_of
from mcpbridge.openapi.reading import Node, Reading, list_in, object_in, text_in
from mcpbridge.openapi.references import Found
from mcpbridge.openapi.xmlshape import Later, Xml, XmlNode

_NODES: tuple[XmlNode, ...] = ("element", "attribute", "text", "cdata", "none")
_KIND = frozenset({"nodeType", "attribute", "wrapped"})
_MEMBERS = frozenset({"properties", "additionalProperties", "items", "prefixItems", "anyOf", "oneOf", "type"})


def xml_of(reading: Reading, schema: Found) -> Xml:
    """The shape of a whole body, whose element has the component's name where the schema states none."""
    return _Hints(reading).shape(schema, as_component=True)


def xml_of_part(reading: Reading, schema: Found, member: str) -> Xml:
    """The shape of one member, or of each item of it, that is a document of its own inside a form."""
    hints = _Hints(reading)
    found = hints.members(schema).get(member)
    shape = Xml() if found is None else hints.shape(found, as_component=True)
    return shape if shape.items is None else shape.items()


@dataclass(kw_only=True, slots=True)
class _Gathered:
    """What a schema says, over all that it is composed of."""

    hints: Node = field(default_factory=dict[str, Any])
    component: str | None = None
    listed: bool = False
    members: dict[str, Found] = field(default_factory=dict[str, Found])
    rest: Found | None = None
    items: Found | None = None
    first: list[Found] = field(default_factory=list[Found])
    choices: list[Found] = field(default_factory=list[Found])
    inner: Found | None = None

    def hint(self, stated: Node) -> None:
        """Takes hints that count less than those taken before."""
        less = {key: value for key, value in stated.items() if key not in _KIND or self.hints.keys().isdisjoint(_KIND)}
        self.hints = {**less, **self.hints}


class _Hints:
    """The schemas of one body; each is looked at once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._nodes = reading.dialect.name == "3.2"
        self._made: dict[tuple[int, str, bool], Xml] = {}

    def shape(self, found: Found, *, as_component: bool = False) -> Xml:
        key = (id(found.value), found.base, as_component)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._shape(found, as_component=as_component)
        return made

    def members(self, found: Found) -> Mapping[str, Found]:
        """The schemas of an object's members."""
        gathered = _Gathered()
        self._gather(found, gathered, set())
        return gathered.members

    def _shape(self, found: Found, *, as_component: bool) -> Xml:
        gathered = _Gathered()
        self._gather(found, gathered, set())
        hints = gathered.hints
        prefix, name = _named(hints)
        if name is None and (as_component or self._nodes):
            name = gathered.component
        later = partial(self._later, as_component=False)
        below = partial(self._later, as_component=as_component)
        return Xml(
            node=_node(hints, listed=gathered.listed),
            name=name,
            prefix=prefix,
            namespace=text_in(hints, "namespace"),
            members={member: later(each) for member, each in gathered.members.items()},
            rest=None if gathered.rest is None else later(gathered.rest),
            items=below(gathered.items or Found({}, found.base, found.trail)) if gathered.listed else None,
            first=[below(each) for each in gathered.first],
            choices=[below(each) for each in gathered.choices],
            inner=None if gathered.inner is None else later(gathered.inner),
        )

    def _later(self, found: Found, *, as_component: bool) -> Later:
        return partial(self.shape, found, as_component=as_component)

    def _gather(self, found: Found, into: _Gathered, seen: set[int]) -> None:
        node = found.value
        if not is_object(node) or id(node) in seen:
            return
        seen.add(id(node))
        references = self._reading.references
        found = found._replace(base=references.enter(node, found.base) if references.identifies else found.base)
        reference = self._behind(found)
        stated = object_in(node, "xml")
        if reference is not None:
            if self._nodes and stated.get("nodeType") == "element":
                into.hint(stated)
                into.inner = reference
                return
            into.hint(stated if not self._nodes or stated.keys() & _KIND else {})
            into.component = into.component or self._component(reference.trail)
            self._gather(reference, into, seen)
        else:
            into.hint(stated)
        self._composed(found, into, seen)
        self._members(found, into)

    def _behind(self, found: Found) -> Found | None:
        ref = found.value.get("$ref")
        return self._reading.schemas.target(ref, found.base, found.trail) if isinstance(ref, str) else None

    def _component(self, trail: Trail) -> str | None:
        """The name of a component, where an element can have it."""
        if trail is None or NCNAME.fullmatch(str(trail[1])) is None:
            return None
        parent = pointer_of(trail[0]).rpartition("#")[2]
        return str(trail[1]) if parent == "/" + "/".join(self._reading.dialect.components) else None

    def _members(self, found: Found, into: _Gathered) -> None:
        """What the schema itself says of what is inside; it stands over what it is composed of, and after it."""
        node, base, trail = found
        for name, each in object_in(node, "properties").items():
            into.members[name] = Found(each, base, ((trail, "properties"), name))
        if is_object(node.get("additionalProperties")):
            into.rest = Found(node["additionalProperties"], base, (trail, "additionalProperties"))
        if is_object(node.get("items")):
            into.items = Found(node["items"], base, (trail, "items"))
        if "prefixItems" in node:
            prefixed = enumerate(list_in(node, "prefixItems"))
            into.first = [Found(each, base, ((trail, "prefixItems"), index)) for index, each in prefixed]
        kind = node.get("type")
        into.listed |= kind == "array" or (is_list(kind) and "array" in kind)
        into.listed |= kind is None and (into.items is not None or bool(into.first))

    def _composed(self, found: Found, into: _Gathered, seen: set[int]) -> None:
        """`allOf`, an alternative to null alone, and alternatives."""
        branches = self._branches(found, "allOf")
        lone = len([each for each in branches if _structured(each.value)]) <= 1 and "properties" not in found.value
        for each in branches:
            if "$ref" not in each.value:
                into.hint(object_in(each.value, "xml"))
        for each in branches:
            if lone or "$ref" not in each.value:
                self._gather(each, into, seen)
            else:
                self._without_hints(each, into, seen)
        for key in ("anyOf", "oneOf"):
            branches = [each for each in self._branches(found, key) if each.value.get("type") != "null"]
            if len(branches) == 1:
                self._gather(branches[0], into, seen)
            else:
                into.choices += branches

    def _without_hints(self, found: Found, into: _Gathered, seen: set[int]) -> None:
        """The members of a schema that is one of several parts: its name is not that of the whole."""
        hints, component = into.hints, into.component
        self._gather(found, into, seen)
        into.hints, into.component = hints, component

    def _branches(self, found: Found, key: str) -> list[Found]:
        trail = (found.trail, key)
        return [
            Found(each, found.base, (trail, index))
            for index, each in enumerate(list_in(found.value, key))
            if is_object(each)
        ]


def _structured(node: Mapping[str, Any]) -> bool:
    return "$ref" in node or not node.keys().isdisjoint(_MEMBERS)


def _named(hints: Node) -> tuple[str, str | None]:
    """Prefix and name; some descriptions write both into the name."""
    prefix, name = text_in(hints, "prefix"), text_in(hints, "name")
    front, colon, local = name.partition(":")
    if colon and local and prefix in ("", front):
        return front, local
    return prefix, name or None


def _node(hints: Node, *, listed: bool) -> XmlNode:
    for kind in _NODES:
        if hints.get("nodeType") == kind:
            return kind
    if hints.get("attribute") is True:
        return "attribute"
    return "none" if listed and hints.get("wrapped") is not True else "element"
