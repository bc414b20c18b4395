"""JSON Schemas compiled once: validators that never fetch a `$ref` and never backtrack without end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NoReturn

import jsonschema_rs

from mcpbridge.errors import BridgeError
from mcpbridge.tools import Json

COMPILED = 8_192
"""How many validators are kept; the one that was compiled first makes room."""

BACKTRACKS = 100_000
"""How many steps back a pattern with look-around may take (some milliseconds) before the text counts as no match."""

_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACKS)


class UnusableSchema(BridgeError):
    """A schema that no validator can be made of: the message says why, in one line."""

    code: ClassVar[str] = "bad_schema"


def compile_schema(schema: Mapping[str, Json]) -> jsonschema_rs.Validator:
    """A validator of JSON Schema 2020-12, or of the draft that `$schema` names.

    Patterns take a time that is linear in the text; those with look-around or back-references, which no engine can
    promise that for, give up after `BACKTRACKS` steps. `format` is an annotation, as the standard has it.

    Raises: UnusableSchema.
    """
    plain = schema if isinstance(schema, dict) else dict(schema)
    try:
        return jsonschema_rs.validator_for(plain, retriever=_refuse, pattern_options=_PATTERNS, mask="the value")
    except jsonschema_rs.ValidationError as error:
        raise UnusableSchema(_first_line(error.message)) from error
    except (ValueError, RecursionError, TypeError) as error:
        raise UnusableSchema(_first_line(str(error))) from error


class CompiledSchemas:
    """Validators by schema object: a source gives the same object for the same tool, so each is compiled once."""

    def __init__(self, limit: int = COMPILED) -> None:
        self._limit = limit
        self._known: dict[int, tuple[Mapping[str, Json], jsonschema_rs.Validator]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def validator(self, schema: Mapping[str, Json]) -> jsonschema_rs.Validator:
        """The validator of this schema. Raises: UnusableSchema."""
        known = self._known.get(id(schema))
        if known is not None:
            return known[1]
        validator = compile_schema(schema)
        if len(self._known) >= self._limit:
            del self._known[next(iter(self._known))]
        self._known[id(schema)] = (schema, validator)  # the schema is kept too, so that its id stays its own
        return validator


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"a schema must be whole; {uri!r} is not fetched")


def _first_line(text: str) -> str:
    return text.partition("\n")[0][:300]
