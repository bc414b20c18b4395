"""What holds at one place of a schema: all that `$ref` and `allOf` add, and what `anyOf` and `oneOf` leave open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import unquote

from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.tools import Json

Schema: TypeAlias = Mapping[str, Json] | bool

ALTERNATIVES = 24
"""How many combinations of alternatives are written out at one place."""


class NoValueError(Exception):
    """No value at all would fit."""


class TooMuchError(Exception):
    """What holds here can't be written out: it refers to itself, or has too many alternatives."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A schema and where it stands in the tool's own."""

    schema: Schema
    pointer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Alternatives, of which one at least holds, or exactly one."""

    branches: Sequence[Part]
    exactly_one: bool
    pointer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """All that holds at once, the outermost first; `choices` each leave something open."""

    plain: Sequence[Part]
    choices: Sequence[Choice]
    seen: frozenset[str]
    said: Mapping[str, Sequence[tuple[str, Json]]] = field(init=False)
    """Each keyword's values, with the pointers of their parts: they are asked for many times at one place."""

    def __post_init__(self) -> None:
        said: dict[str, list[tuple[str, Json]]] = {}
        for part in self.plain:
            if is_object(part.schema):
                for name, value in part.schema.items():
                    said.setdefault(name, []).append((part.pointer, value))
        object.__setattr__(self, "said", said)

    def keywords(self, name: str) -> Sequence[tuple[str, Json]]:
        """Each value of a keyword, with the pointer of its part."""
        return self.said.get(name, ())

    def first(self, name: str) -> Json:
        """The outermost value of a keyword, None where there is none."""
        found = self.said.get(name)
        return found[0][1] if found else None


def under(pointer: str, *words: str | int) -> str:
    """A pointer further down (RFC 6901 section 3)."""
    for word in words:
        pointer += f"/{word.replace('~', '~0').replace('/', '~1') if isinstance(word, str) else word}"
    return pointer


def target(root: Mapping[str, Json], reference: Json) -> Part | None:
    """What a reference within the schema leads to; None for every other reference."""
    if not isinstance(reference, str) or (reference != "#" and not reference.startswith("#/")):
        return None
    value: Json = root
    for word in unquote(reference[2:]).split("/") if reference != "#" else ():
        key = word.replace("~1", "/").replace("~0", "~")
        if is_object(value) and key in value:
            value = value[key]
        elif is_list(value) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return Part(schema=value, pointer=unquote(reference[1:])) if is_object(value) or isinstance(value, bool) else None


def gather(root: Mapping[str, Json], parts: Sequence[Part], seen: frozenset[str]) -> Gathered:
    """What the parts say at once, with all that they refer to; `seen` are the references followed so far.

    Raises: NoValueError; TooMuchError for a part that needs itself.
    """
    waiting, plain, choices = [*parts], list[Part](), list[Choice]()
    while waiting:
        part = waiting.pop(0)
        if part.schema is False:
            raise NoValueError
        if part.schema is True:
            continue
        added, own = _opened(root, part, choices)
        for each in added:
            if is_reference(part) and each.pointer in seen:
                raise TooMuchError
        if is_reference(part):
            seen |= {added[0].pointer}
        plain += [own] if own.schema else []
        waiting = [*added, *waiting]
    return Gathered(plain=plain, choices=choices, seen=seen)


def is_reference(part: Part) -> bool:
    """Whether a part refers to another one."""
    return is_object(part.schema) and "$ref" in part.schema


def alternatives(gathered: Gathered) -> list[tuple[Part, ...]]:
    """Every combination of one branch of each choice, together with all that holds anyway.

    Raises: TooMuchError.
    """
    combined: list[tuple[Part, ...]] = [()]
    for choice in gathered.choices:
        combined = [(*each, branch) for each in combined for branch in choice.branches]
        if len(combined) > ALTERNATIVES:
            raise TooMuchError
    return [(*branches, *gathered.plain) for branches in combined]


def _opened(root: Mapping[str, Json], part: Part, choices: list[Choice]) -> tuple[list[Part], Part]:
    """What a part brings in, and what it says itself; its alternatives join the choices."""
    schema, pointer = part.schema, part.pointer
    if not is_object(schema) or schema.keys().isdisjoint(_OPENED):
        return [], part
    added: list[Part] = []
    if "$ref" in schema and (found := target(root, schema["$ref"])) is not None:
        added.append(found)
    added += _parts(schema, "allOf", pointer)
    choices += (
        Choice(branches=_parts(schema, word, pointer), exactly_one=word == "oneOf", pointer=under(pointer, word))
        for word in ("anyOf", "oneOf")
        if word in schema
    )
    return added, Part(schema={key: schema[key] for key in schema if key not in _OPENED}, pointer=pointer)


_OPENED = frozenset({"$ref", "allOf", "anyOf", "oneOf"})


def _parts(schema: Mapping[str, Json], word: str, pointer: str) -> list[Part]:
    return [Part(schema=each, pointer=under(pointer, word, number)) for number, each in enumerate(schema.get(word, ()))]
