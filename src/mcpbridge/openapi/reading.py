"""What the readers of one description share, and the record of functions that a dialect is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.limits import Deadline, ReadLimits
from mcpbridge.openapi.operation import Parameter
from mcpbridge.openapi.problems import Problems, Trail, pointer_of
from mcpbridge.openapi.references import Found, References
from mcpbridge.openapi.schema import Schemas

Node: TypeAlias = "dict[str, Any]"


class Offer(NamedTuple):
    """One media type of a request body or of an answer, with its schema and `encoding` as the description has them."""

    media: str
    schema: Found
    encoding: Mapping[str, Any] = {}


class BodyOffers(NamedTuple):
    """The media types that a request body may be written in."""

    offers: Sequence[Offer]
    required: bool
    description: str
    trail: Trail


class Declared(NamedTuple):
    """A parameter as it stands, known by name and place, in which one overrides another."""

    identity: tuple[str, str]
    found: Found


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """How one version of OpenAPI says what an operation is.

    name         `2.0`, `3.0`, `3.1`, `3.2`
    components   where named schemas stand
    modern       whether keywords beside a `$ref` count, as JSON Schema has it since 2019-09
    in_body      places of parameters that make up the body
    self_named   whether the document may say its own address (`$self`)
    methods      (method, operation, its trail) of each operation of a path item
    parameter    one parameter, or None for what is none, with the problem reported
    body         the request body of an operation with these parameters, or None
    answers      the media types of one response
    """

    name: str
    components: tuple[str, ...]
    modern: bool
    in_body: frozenset[str] = frozenset()
    self_named: bool = False
    methods: Callable[[Node, Trail], Iterator[tuple[str, Any, Trail]]]
    parameter: Callable[[Reading, Found], Parameter | None]
    body: Callable[[Reading, Found, Sequence[Found]], BodyOffers | None]
    answers: Callable[[Reading, Found, Found], Sequence[Offer]]


@dataclass(kw_only=True, slots=True, eq=False)
class Reading:
    """One description while it is read. Everything in it is found once and remembered."""

    root: Node
    dialect: Dialect
    references: References
    schemas: Schemas
    problems: Problems
    limits: ReadLimits
    deadline: Deadline
    parameters: dict[int, Parameter | None] = field(default_factory=dict[int, "Parameter | None"])
    _declared: dict[tuple[str, Any], Declared | None] = field(default_factory=dict[tuple[str, Any], "Declared | None"])
    _followed: dict[tuple[str, Any], Found | None] = field(default_factory=dict[tuple[str, Any], "Found | None"])

    def parameter(self, found: Found) -> Parameter | None:
        """A parameter under a name for its argument that may still be taken; None for one that is left out."""
        key = id(found.value)
        if key not in self.parameters:
            self.parameters[key] = self.dialect.parameter(self, found)
        return self.parameters[key]

    def declared(self, value: Any, base: str, trail: Trail) -> Declared | None:
        """A parameter that stands in a list, or behind a reference there, and what it is known by."""
        ref = value.get("$ref") if is_object(value) and len(value) == 1 else None
        if not isinstance(ref, str):
            found = self.follow(value, base, trail)
            return None if found is None else Declared(_identity(found.value, trail), found)
        key = (base, ref)
        if key not in self._declared:
            found = self.references.follow(value, base, trail)
            self._declared[key] = None if found is None else Declared(_identity(found.value, trail), found)
        return self._declared[key]

    def follow(self, value: Any, base: str, trail: Trail) -> Found | None:
        """The object that stands here, or behind a reference here; None where it leads nowhere."""
        if not is_object(value) or "$ref" not in value:
            return Found(value, base, trail)
        node = value
        if len(node) > 1 or not isinstance(node["$ref"], str):
            return self.references.follow(node, base, trail)
        key = (base, node["$ref"])
        if key not in self._followed:
            self._followed[key] = self.references.follow(node, base, trail)
        return self._followed[key]

    def error(self, trail: Trail, message: str, repair: str) -> None:
        """Reports that a part is lost."""
        self.problems.add("error", trail, message, repair)

    def warn(self, trail: Trail, message: str, repair: str) -> None:
        """Reports that a part was repaired."""
        self.problems.add("warning", trail, message, repair)

    def note(self, trail: Trail, message: str, repair: str) -> None:
        """Reports what was read as all tools read it."""
        self.problems.add("note", trail, message, repair)


def _identity(raw: Any, trail: Trail) -> tuple[str, str]:
    """Name and place; names of headers in any case (RFC 9110 section 5.1); without them, where it stands."""
    name, where = (raw.get("name"), raw.get("in")) if is_object(raw) else (None, None)
    if not isinstance(name, str) or not isinstance(where, str):
        return pointer_of(trail), ""
    return (name.lower() if where == "header" else name), where


def text_in(node: Mapping[str, Any], key: str) -> str:
    """A member that is text, or an empty one."""
    value = node.get(key)
    return value if isinstance(value, str) else ""


def object_in(node: Mapping[str, Any], key: str) -> Node:
    """A member that is an object, or an empty one."""
    value = node.get(key)
    return value if is_object(value) else {}


def list_in(node: Mapping[str, Any], key: str) -> list[Any]:
    """A member that is a list, or an empty one."""
    value = node.get(key)
    return value if is_list(value) else []
