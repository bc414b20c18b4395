"""One tool as rules look at it, and the pieces of its schemas, each looked at once for all tools that share it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

from mcpbridge.linting.rule import Hit, Node, NodeRule, TextRule
from mcpbridge.linting.schemas import KINDS, Kind, is_node, resolved
from mcpbridge.linting.tokens import tokens_of, tokens_of_json
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.problems import Trail, pointer_of
from mcpbridge.tools import Json, Tool

Role: TypeAlias = Literal["top", "definition", "answer"]
"""What a piece is: the schema of all arguments, one that others refer to, or a part of what comes back."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\x00-\x7f]+")
_LEVELS = 100
_NODES = 200_000
_SHORTEST = 10
_WORDLESS = frozenset({"type", "format", "$ref", "$schema", "$id", "$anchor"})
"""Keywords whose text is a word of JSON Schema, or for a program."""


def words_of(text: str) -> list[str]:
    """The words of a name or a text, in lower case: `listUserRepos` and `list_user_repos` have the same three."""
    return [word.lower() for word in _WORD.findall(text)]


def step(name: str) -> str:
    """A name as a step of a JSON pointer (RFC 6901 section 3)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What was found in one piece of a schema: hits by rule with their place in it, references, and its size.

    `names` is the total length of the names and fixed values in it, as OpenAI counts them.
    """

    hits: Sequence[tuple[str, Hit]]
    references: Sequence[tuple[str, str]]
    tokens: int
    properties: int
    values: int
    names: int


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A tool with what rules ask of it. Parts have the pointer at which they stand in the tool."""

    tool: Tool
    parts: Sequence[tuple[str, Part]]
    hits: Sequence[tuple[str, Hit]] = ()
    tokens: int = 0

    @cached_property
    def schema(self) -> Node:
        """The input schema, empty where it is none."""
        return self.tool.input_schema if is_node(self.tool.input_schema) else {}

    @cached_property
    def arguments(self) -> Mapping[str, Node]:
        """Each argument's schema with its reference followed; those that are no objects are left out."""
        properties = self.schema.get("properties")
        if not is_object(properties):
            return {}
        return {name: resolved(each, self.schema) for name, each in properties.items() if is_node(each)}

    @cached_property
    def words(self) -> Sequence[str]:
        """The words of the name."""
        return words_of(self.tool.name)

    @cached_property
    def labels(self) -> Mapping[str, Json]:
        """MCP's annotations."""
        found: Json = self.tool.extra.get("annotations")
        return found if is_object(found) else {}

    @property
    def reads(self) -> bool:
        """Whether the tool says that it changes nothing."""
        said = self.labels.get("readOnlyHint")
        return said if isinstance(said, bool) else self.tool.access == "read"


@dataclass(frozen=True, slots=True)
class Scanner:
    """Makes subjects. A piece of a schema that many tools share (by identity) is looked at once."""

    node_rules: Sequence[NodeRule]
    text_rules: Sequence[TextRule]
    seen: dict[tuple[int, Role], tuple[Any, Part]] = field(default_factory=dict[tuple[int, "Role"], tuple[Any, Part]])
    read: dict[str, Sequence[tuple[str, str]]] = field(default_factory=dict[str, Sequence[tuple[str, str]]])

    def subject(self, tool: Tool) -> Subject:
        """The tool as rules look at it."""
        parts = [*self._pieces("/inputSchema", tool.input_schema, "top", "definition")]
        answers = self._pieces("/outputSchema", tool.output_schema, "answer", "answer")
        hits = [*self._said(tool)]
        for place, part in (*parts, *answers):
            hits += [(code, Hit(place + hit.pointer, hit.message)) for code, hit in part.hits]
        tokens = tokens_of(tool.name) + tokens_of(tool.description) + sum(part.tokens for _, part in parts)
        return Subject(tool=tool, parts=parts, hits=hits, tokens=tokens)

    def _said(self, tool: Tool) -> Iterator[tuple[str, Hit]]:
        texts: list[tuple[str, Json]] = [("/name", tool.name), ("/description", tool.description)]
        texts.append(("/title", tool.extra.get("title")))
        labels: Json = tool.extra.get("annotations")
        if is_object(labels):
            texts.append(("/annotations/title", labels.get("title")))
        for pointer, text in texts:
            if isinstance(text, str):
                yield from ((code, Hit(pointer, said)) for code, said in self._read(text))

    def _read(self, text: str) -> Sequence[tuple[str, str]]:
        if len(text) < _SHORTEST and text.isascii() and text.isprintable():
            return ()  # too short to say anything
        said = self.read.get(text)
        if said is None:
            said = self.read[text] = [(rule.code, what) for rule in self.text_rules if (what := rule.check(text))]
        return said

    def _pieces(self, place: str, schema: Json, role: Role, inner: Role) -> Iterator[tuple[str, Part]]:
        """The parts of a schema: itself without its definitions, and each of them."""
        if not is_node(schema):
            return
        definitions = schema.get("$defs")
        if not is_object(definitions) or not all(isinstance(each, dict | bool) for each in definitions.values()):
            yield place, self._part(schema, role)
            return
        yield place, self._part({key: value for key, value in schema.items() if key != "$defs"}, role)
        for name, each in definitions.items():
            yield f"{place}/$defs{step(name)}", self._part(each, inner)

    def _part(self, piece: Json, role: Role) -> Part:
        known = self.seen.get((id(piece), role))
        if known is None:  # the piece is kept, so that no other gets its identity
            known = self.seen[id(piece), role] = (piece, self._look(piece, role))
        return known[1]

    def _look(self, piece: Json, role: Role) -> Part:
        node_rules = self.node_rules if role != "answer" else ()
        hits: list[tuple[str, Hit]] = []
        references: list[tuple[str, str]] = []
        properties = values = names = 0
        for trail, value, kind in _walk(piece):
            if isinstance(value, str):
                hits += [(code, Hit(pointer_of(trail), said)) for code, said in self._read(value)]
            elif kind == "schema" and is_node(value):
                for rule in node_rules:
                    if trail is None and role == "top" and not rule.top:
                        continue
                    if said := rule.check(value):
                        hits.append((rule.code, Hit(pointer_of(trail), said)))
                if isinstance(reference := value.get("$ref"), str):
                    references.append((pointer_of(trail), reference))
                members, fixed = value.get("properties"), value.get("enum")
                if is_object(members):
                    properties += len(members)
                    names += sum(map(len, map(str, members)))
                if is_list(fixed):
                    values += len(fixed)
                    names += sum(len(str(each)) for each in fixed)
        return Part(
            hits=hits,
            references=references,
            tokens=tokens_of_json(piece) if role != "answer" else 0,
            properties=properties,
            values=values,
            names=names,
        )


def _walk(piece: Json) -> Iterator[tuple[Trail, Json, Kind]]:
    """Every value in a schema with its place and what it is there; up to a depth and a number: hosts may give cycles.

    A name is given as a text of its own where it is long enough to say something, or holds more than plain ASCII.
    """
    stack: list[tuple[Trail, Json, Kind, int]] = [(None, piece, "schema", 0)]
    for _ in range(_NODES):
        if not stack:
            return
        trail, value, kind, level = stack.pop()
        yield trail, value, kind
        if level >= _LEVELS:
            continue
        inside: Iterable[tuple[str | int, Json, Kind]]
        if is_object(value):
            inside = ((key, each, _inner(kind, key)) for key, each in value.items())
            for name in value:
                if isinstance(name, str) and (len(name) > 20 or not (name.isascii() and name.isprintable())):  # pyright: ignore[reportUnnecessaryIsInstance] - a host's dict may hold anything
                    yield (trail, name), name, "data"
        elif is_list(value):
            inner: Kind = "schema" if kind in ("list", "schema") else "data"
            inside = ((index, each, inner) for index, each in enumerate(value))
        else:
            continue
        for key, each, what in inside:
            if isinstance(each, str | dict | list) and (what != "data" or key not in _WORDLESS):
                stack.append(((trail, key), each, what, level + 1))  # pyright: ignore[reportUnknownArgumentType] - JSON


def _inner(kind: Kind, key: str) -> Kind:
    if kind == "schema":
        return KINDS.get(key, "data")
    return "schema" if kind == "schemas" else "data"
