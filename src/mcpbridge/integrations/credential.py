"""A credential in a record: given just now, or kept in the vault. No dump of a record shows its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, cast

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, SerializationInfo
from pydantic_core import CoreSchema, core_schema

from mcpbridge.auth.pem import pem_line
from mcpbridge.secret import MASK, Secret
from mcpbridge.tools import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """A credential that the vault keeps.

    `revision` is the integration's revision in which it was given, at `updated_at` (seconds of the Unix epoch).
    Revision 0 means "the one that is there", as a mask that comes back from an editor does.
    """

    revision: int = 0
    updated_at: float = 0.0


def read_credential(value: object) -> Secret | Stored:
    """A credential from outside: a text; or the mask, or `{"set": true}`, for the one that is there.

    Raises: ValueError, without the text.
    """
    if isinstance(value, Secret | Stored):
        return value
    if isinstance(value, Mapping):
        return _stored(cast("Mapping[str, object]", value))
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {type(value).__name__}")  # noqa: TRY004 - pydantic takes ValueError
    if not value:
        raise ValueError("must not be empty: leave it out to keep the one that is there")
    return Stored() if value == MASK else Secret(value)


def _stored(value: Mapping[str, object]) -> Stored:
    revision, updated_at = value.get("revision", 0), value.get("updated_at", 0.0)
    if value.get("set") is not True or not isinstance(revision, int) or not isinstance(updated_at, int | float):
        raise ValueError('must be text, or {"set": true} to keep the one that is there')
    return Stored(revision=revision, updated_at=updated_at)


VIEW = "view"
"""The context of a dump that is made for people."""


def shown_credential(value: Secret | Stored, context: object = None) -> Json:
    """The credential in JSON, without its text: whether it is set, and since when; for the store its revision too."""
    if context == VIEW:
        return {"set": True, **({"updated_at": value.updated_at} if isinstance(value, Stored) else {})}
    if isinstance(value, Secret):
        return MASK
    return {"set": True, "updated_at": value.updated_at, "revision": value.revision}


def _written(value: Secret | Stored, info: SerializationInfo) -> Json:
    return shown_credential(value, info.context)


class _Schema:
    """How pydantic reads, writes and describes a credential."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(_written, info_arg=True, when_used="json")
        return core_schema.no_info_plain_validator_function(read_credential, serialization=written)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "format": "password", "writeOnly": True, "minLength": 1}


Credential: TypeAlias = Annotated[Secret | Stored, _Schema]
"""A field of a record that holds a credential."""


def _one_line(value: object) -> object:
    return pem_line(value) if isinstance(value, str) else value


KeyCredential: TypeAlias = Annotated[Credential, BeforeValidator(_one_line)]
"""A credential that may be PEM: its lines are kept as one."""

Pem: TypeAlias = Annotated[str, BeforeValidator(_one_line), Field(max_length=100_000)]
"""Certificates in PEM, which are no secret."""
