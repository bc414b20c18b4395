"""What a record may hold so that every database keeps it as JSON and finds its way in it. Pure.

A value that is JSON to Python alone (Infinity, NUL in a text, half a character) would not only be lost: one such row
makes a database refuse every query that looks into the documents, whoever's they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from pydantic import BaseModel

from mcpbridge.integrations.credential import Stored
from mcpbridge.integrations.errors import FieldProblem
from mcpbridge.secret import Secret

DEEPEST = 64
"""Levels of objects and lists, one in the other."""

_LARGEST_BITS = 1024
_UNKEPT = re.compile("[\0\ud800-\udfff]")


def is_text(value: object) -> bool:
    """Whether this is a text that every database takes."""
    return isinstance(value, str) and _UNKEPT.search(value) is None


def unstorable(value: object, path: str = "", *, depth: int = 0) -> Iterator[FieldProblem]:
    """What can't be kept of a record, or of a value at this path of one. Fields that were not given can be."""
    if depth > DEEPEST:
        yield FieldProblem(field=path, message=f"has more than {DEEPEST} levels: make it flatter")
    elif (inner := _inner(value)) is not None:
        for name, each in inner:
            where = _below(path, name)
            if not is_text(name):
                yield FieldProblem(field=where, message="must have a name that is text, without NUL")
            yield from unstorable(each, where, depth=depth + 1)
    elif (said := _refused(value)) is not None:
        yield FieldProblem(field=path, message=said)


def _inner(value: object) -> Iterable[tuple[object, object]] | None:
    """What a value consists of, by names; None for one that has no parts."""
    if isinstance(value, str):
        return None
    if isinstance(value, BaseModel):
        return ((name, getattr(value, name)) for name in value.model_fields_set)
    if isinstance(value, list | tuple):
        return ((str(index), each) for index, each in enumerate(cast("list[object]", value)))
    return cast("Mapping[object, object]", value).items() if isinstance(value, Mapping) else None


def _refused(value: object) -> str | None:
    match value:
        case None | bool() | Secret() | Stored():
            return None
        case str():
            return None if is_text(value) else "holds NUL or half a character (a lone surrogate): write plain text"
        case int():
            return None if value.bit_length() <= _LARGEST_BITS else "is a number too large: write a smaller one"
        case float():
            return None if math.isfinite(value) else f"is {value!r}, which JSON does not have: write a finite number"
        case _:
            return f"is of type {type(value).__name__}, which JSON does not have"


def _below(path: str, name: object) -> str:
    shown = name if isinstance(name, str) and name.isprintable() else repr(name)
    return f"{path}.{shown[:100]}" if path else shown[:100]
