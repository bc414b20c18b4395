"""Values against the schemas of one operation, and texts read as those schemas mean them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from mcpbridge.openapi.composed import members_of, plain
from mcpbridge.openapi.jsontext import is_list
from mcpbridge.openapi.operation import Operation, Schema
from mcpbridge.openapi.tool import needed_definitions
from mcpbridge.tools import Json
from mcpbridge.wrap.compiled import Compiled, UnusableSchema, compile_schema, errors_of
from mcpbridge.wrap.problems import read_problems

_TYPES: Mapping[str, tuple[type, ...]] = {"integer": (int,), "number": (int, float), "boolean": (bool,)}
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,400})")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,400})(?:\.\d+)?(?:[eE][+-]?\d{1,3})?")


class Judged:
    """Judges the values of one operation; each schema is compiled once."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self._known: dict[int, tuple[Schema, Compiled | None]] = {}

    def problems(self, place: str, value: Json, schema: Schema) -> Iterator[str]:
        """What the schema says against a value."""
        compiled, wrapped = self._compiled(schema), {"it": value}
        if compiled is not None and not compiled.validator.is_valid(wrapped):
            for problem in read_problems(errors_of(compiled, wrapped), {"properties": {"it": schema}}):
                yield f"{place}{problem.path.removeprefix('/it')}: expected {problem.expected}, got {problem.got}"

    def read(self, text: str, schema: Schema) -> Json:
        """The value that a text means: a reading that the schema accepts, else one of its type, else the text."""
        compiled, readings = self._compiled(schema), [*_readings(text)]
        if compiled is None:
            return text
        accepted = [each for each in readings if compiled.validator.is_valid({"it": each})]
        named = plain(schema, self.operation.definitions).get("type")
        types = named if is_list(named) else [named]
        meant = [each for each in readings if any(type(each) in _TYPES.get(str(kind), ()) for kind in types)]
        return next(iter([*accepted, *meant]), text)

    def read_parts(self, texts: Sequence[str], schema: Schema) -> Json:
        """The array or object that texts mean: items, or names and values in turn (`a,1,b,2`)."""
        if self.kind(schema) == "object":
            members = self.members(schema)
            pairs = zip(texts[::2], texts[1::2], strict=False)
            return {name: self.read(text, members.get(name, True)) for name, text in pairs}
        return [self.read(text, self.items(schema)) for text in texts]

    def kind(self, schema: Schema) -> str:
        """`array`, `object`, or an empty text for what is none of them."""
        named = plain(schema, self.operation.definitions).get("type")
        kinds = named if is_list(named) else [named]
        return next((kind for kind in ("array", "object") if kind in kinds), "")

    def items(self, schema: Schema) -> Schema:
        """The schema of an array's items."""
        found: Schema = plain(schema, self.operation.definitions).get("items", True)
        return found

    def members(self, schema: Schema) -> Mapping[str, Schema]:
        """The schemas of an object's members."""
        return members_of(schema, self.operation.definitions)

    def _compiled(self, schema: Schema) -> Compiled | None:
        """A validator of `{"it": value}`; None for a schema that accepts all, or that can't be used."""
        if schema is True:
            return None
        if id(schema) not in self._known:
            whole = {"type": "object", "properties": {"it": schema}}
            whole["$defs"] = needed_definitions([schema], self.operation.definitions)
            try:
                self._known[id(schema)] = (schema, compile_schema(whole))
            except UnusableSchema:
                self._known[id(schema)] = (schema, None)
        return self._known[id(schema)][1]


def _readings(text: str) -> Iterator[Json]:
    """What a text may mean, the most particular first."""
    if _INTEGER.fullmatch(text):
        yield int(text)
    if _NUMBER.fullmatch(text):
        yield float(text)
    if text in ("true", "false"):
        yield text == "true"
    if text in ("", "null"):
        yield None
    yield text
