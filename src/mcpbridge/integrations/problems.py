"""Pydantic's errors as problems of fields: one line each, with the next step, and nothing of what was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from mcpbridge.integrations.auth import auth_kind
from mcpbridge.integrations.errors import FieldProblem
from mcpbridge.openapi.closest import closest

MOST = 50
"""Problems that are told at once."""


def problem(field: str, message: str) -> FieldProblem:
    """A problem of one field."""
    return FieldProblem(field=field, message=message)


def problems_of(error: ValidationError, model: type[BaseModel], values: Mapping[str, Any]) -> list[FieldProblem]:
    """Every problem, in the order of the fields."""
    found = error.errors(include_url=False, include_input=False, include_context=True)
    return [_problem(each, model, values) for each in found[:MOST]]


def _problem(found: Any, model: type[BaseModel], values: Mapping[str, Any]) -> FieldProblem:
    path = ".".join(str(part)[:100] for part in found["loc"])
    match found["type"]:
        case "missing":
            return problem(path, "is missing")
        case "extra_forbidden":
            return problem(path, _unknown(found["loc"], model, values))
        case "value_error":
            return problem(path, str(found["ctx"]["error"]))
        case "tuple_type":
            return problem(path, "must be a list")
        case "string_type":
            return problem(path, "must be text")
        case _:
            message = str(found["msg"])
            return problem(path, message[:1].lower() + message[1:])


def _unknown(where: tuple[int | str, ...], model: type[BaseModel], values: Mapping[str, Any]) -> str:
    """Which field was meant, where one is near; or of which other kind this one is."""
    name = str(where[-1])
    if where[:-1] == ("auth",):
        return _unknown_of_auth(name, values["auth"]["type"])
    if len(where) > 1:
        return "is no field here: see the record's JSON Schema"
    if others := [each for each in _siblings(model) if name in _names(each)]:
        mine, theirs = values.get("protocol"), others[0].__name__.removesuffix("Integration").lower()
        return f"is of protocol {theirs!r}, and 'protocol' is {mine!r}: change one of the two"
    return "is no field of an integration" + _nearest(name, [*_names(model)])


def _unknown_of_auth(name: str, kind: str) -> str:
    known = [each for each in _names(auth_kind(kind)) if each != "type"]
    told = _nearest(name, known) if known else ": take it out, or change the type"
    return f"is given while 'auth.type' is {kind!r}, which has no such field{told}"


def _nearest(name: str, known: Sequence[str]) -> str:
    meant = closest(name, known)
    return f": did you mean {meant!r}?" if meant else f"; there are: {', '.join(known)}"


def _names(model: type[BaseModel]) -> Iterator[str]:
    return (field.alias or name for name, field in model.model_fields.items())


def _siblings(model: type[BaseModel]) -> list[type[BaseModel]]:
    """The other classes of records."""
    base = model.__bases__[0]
    return [] if base is BaseModel else [each for each in _below(base) if each is not model]


def _below(base: type) -> list[type[BaseModel]]:
    return type.__subclasses__(base)
