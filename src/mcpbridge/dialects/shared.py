"""Definitions that are written once and referred to, for providers that take references."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from mcpbridge.dialects.back import Back, Named, Text
from mcpbridge.dialects.made import Made, text_of
from mcpbridge.dialects.names import legal_name
from mcpbridge.dialects.parts import NoValueError, Part, target
from mcpbridge.dialects.scalars import MEANING, says_nothing
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.tools import Json

_NAME = re.compile(r"[a-zA-Z0-9_-]+")


class Definitions:
    """Definitions by the pointer of what they define."""

    def __init__(self) -> None:
        self._made: dict[str, Made | None] = {}
        self._names: dict[str, str] = {}
        self._schemas: dict[str, Mapping[str, Json]] = {}
        self._backs: dict[str, Back] = {}

    def of(self, part: Part, make: Callable[[], Made]) -> Made:
        """A reference to what `make` gives; what is short is given itself. One that is being made may refer to itself.

        Raises: NoValueError.
        """
        if part.pointer not in self._made:
            self._made[part.pointer] = None
            try:
                self._made[part.pointer] = self._written(part.pointer, make())
            except NoValueError:
                del self._made[part.pointer]
                raise
        return self._made[part.pointer] or self._reference(part.pointer, null=False)

    def needed(self, schema: Json) -> tuple[dict[str, Mapping[str, Json]], dict[str, Back]]:
        """Every definition that a schema reaches, and the ways back."""
        names, waiting = dict[str, None](), [*_references(schema)]
        while waiting:
            name = waiting.pop()
            if name not in names:
                names[name] = None
                if name not in self._schemas:  # nothing at all fits it
                    self._schemas[name], self._backs[name] = text_of("").schema, Text()
                waiting += _references(self._schemas[name])
        return {name: self._schemas[name] for name in names}, {name: self._backs[name] for name in names}

    def behind(self, made: Made) -> Made:
        """What a reference stands for; of one that is being made nothing is known."""
        while isinstance(made.back, Named):
            name = made.back.name
            made = Made(schema=self._schemas.get(name, {}), back=self._backs.get(name))
        return made

    def _written(self, pointer: str, made: Made) -> Made:
        if pointer not in self._names and made.schema.get("type") not in ("object", "array"):
            return made
        reference = self._reference(pointer, null=made.null)
        name = _name(reference.schema)
        self._schemas[name], self._backs[name] = made.schema, made.back
        return reference

    def _reference(self, pointer: str, *, null: bool) -> Made:
        if pointer not in self._names:
            self._names[pointer] = legal_name(pointer.rpartition("/")[2] or "whole", _NAME, 64, self._names.values())
        name = self._names[pointer]
        return Made(schema={"$ref": f"#/$defs/{name}"}, back=Named(name=name), null=null)


def reference_of(root: Mapping[str, Json], parts: Sequence[Part]) -> Part | None:
    """What a place refers to, where it says nothing else but a description."""
    meaning = [part.schema for part in parts if not says_nothing(part.schema)]
    schema = meaning[0] if len(meaning) == 1 else None
    while is_object(schema) and schema.keys() & MEANING == {"allOf"} and len(schema["allOf"]) == 1:
        schema = schema["allOf"][0]
    if not is_object(schema) or schema.keys() & MEANING != {"$ref"}:
        return None
    return target(root, schema["$ref"])


def _name(schema: Mapping[str, Json]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _references(schema: Json) -> Iterator[str]:
    if is_object(schema):
        if isinstance(schema.get("$ref"), str):
            yield _name(schema)
        for key, value in schema.items():
            if key == "properties":
                for inner in value.values():
                    yield from _references(inner)
            elif key in ("items", "anyOf"):
                yield from _references(value)
    elif is_list(schema):
        for each in schema:
            yield from _references(each)
