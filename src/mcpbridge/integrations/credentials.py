"""The credentials of a record by their paths: taken out for the vault, put back for a call. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, TypeVar, cast

from pydantic import BaseModel

from mcpbridge.integrations.credential import Stored
from mcpbridge.integrations.record import Integration
from mcpbridge.secret import Secret

Found: TypeAlias = Iterator[tuple[str, Secret | Stored]]
Record = TypeVar("Record", bound=Integration)

HOLDERS = ("headers", "auth", "env")
"""The fields of a record that may hold credentials."""


def credentials(record: Integration) -> dict[str, Secret | Stored]:
    """Every credential of a record, by its path with dots: `auth.token`, `env.API_KEY`, `headers.X-Key`."""
    return {path: each for name in HOLDERS for path, each in _walk(name, getattr(record, name, None))}


def with_credentials(record: Record, change: Callable[[str, Secret | Stored], Secret | Stored]) -> Record:
    """The record with each credential replaced by what `change` gives for its path and itself."""
    holding = {path.partition(".")[0] for path in credentials(record)}
    return record.model_copy(update={name: _mapped(name, getattr(record, name), change) for name in holding})


def _walk(path: str, value: object) -> Found:
    if isinstance(value, Secret | Stored):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _walk(f"{path}.{name}", getattr(value, name))
    elif isinstance(value, dict):
        for name, inner in cast("dict[str, object]", value).items():
            yield from _walk(f"{path}.{name}", inner)


def _mapped(path: str, value: Any, change: Callable[[str, Secret | Stored], Secret | Stored]) -> Any:
    if isinstance(value, Secret | Stored):
        return change(path, value)
    if isinstance(value, BaseModel):
        inner = {name: _mapped(f"{path}.{name}", getattr(value, name), change) for name in type(value).model_fields}
        return value.model_copy(update=inner)
    if isinstance(value, dict):
        given = cast("dict[str, object]", value)
        return {name: _mapped(f"{path}.{name}", inner, change) for name, inner in given.items()}
    return value
