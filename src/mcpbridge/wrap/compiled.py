"""JSON Schemas compiled once: validators that never fetch a `$ref` and never backtrack without end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, NoReturn

import jsonschema_rs

from mcpbridge.errors import BridgeError
from mcpbridge.tools import Json
from mcpbridge.wrap.plain import values_in
from mcpbridge.wrap.work import ONE_VALUE, work_of

COMPILED = 8_192
"""How many validators are kept; the one that was compiled first makes room."""

BACKTRACKS = 100_000
"""How many steps back a pattern with look-around may take (some milliseconds) before the text counts as no match."""

ERRORS = 20_000
"""How many errors may be looked for in arguments that do not fit (some tenths of a second)."""

_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACKS)


class UnusableSchema(BridgeError):
    """A schema that no validator can be made of: the message says why, in one line."""

    code: ClassVar[str] = "bad_schema"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A validator, and how many schemas it tries on one value at most."""

    validator: jsonschema_rs.Validator
    work: int


def compile_schema(schema: Mapping[str, Json]) -> Compiled:
    """A validator of JSON Schema 2020-12, or of the draft that `$schema` names.

    Patterns take a time that is linear in the text; those with look-around or back-references, which no engine can
    promise that for, give up after `BACKTRACKS` steps. `format` is an annotation, as the standard has it.

    Raises: UnusableSchema, also for a schema that would make too much work of a value.
    """
    plain = schema if isinstance(schema, dict) else dict(schema)
    try:
        validator = jsonschema_rs.validator_for(plain, retriever=_refuse, pattern_options=_PATTERNS, mask="the value")
        work = work_of(plain)
    except jsonschema_rs.ValidationError as error:
        raise UnusableSchema(_first_line(error.message)) from error
    except (ValueError, RecursionError, TypeError, AttributeError, LookupError) as error:
        raise UnusableSchema(_first_line(str(error))) from error
    if work is None:
        raise UnusableSchema(f"more than {ONE_VALUE} schemas would be tried on one value")
    return Compiled(validator, work)


def errors_of(compiled: Compiled, arguments: Mapping[str, Json]) -> Iterable[jsonschema_rs.ValidationError]:
    """Every error of arguments that do not fit; the first alone where they could be more than `ERRORS`.

    The validator finds all of them before it gives the first one, those of every form of an `anyOf` included.
    """
    if compiled.work * values_in(arguments, ERRORS) <= ERRORS:
        return compiled.validator.iter_errors(arguments)
    try:
        compiled.validator.validate(arguments)
    except jsonschema_rs.ValidationError as first:
        return (first,)
    return ()


class CompiledSchemas:
    """Validators by schema object: a source gives the same object for the same tool, so each is compiled once."""

    def __init__(self, limit: int = COMPILED) -> None:
        self._limit = limit
        self._known: dict[int, tuple[Mapping[str, Json], Compiled]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, schema: Mapping[str, Json]) -> Compiled:
        """The validator of this schema. Raises: UnusableSchema."""
        known = self._known.get(id(schema))
        if known is not None:
            return known[1]
        compiled = compile_schema(schema)
        if len(self._known) >= self._limit:
            del self._known[next(iter(self._known))]
        self._known[id(schema)] = (schema, compiled)  # the schema is kept too, so that its id stays its own
        return compiled


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"a schema must be whole; {uri!r} is not fetched")


def _first_line(text: str) -> str:
    return text.partition("\n")[0][:300]
