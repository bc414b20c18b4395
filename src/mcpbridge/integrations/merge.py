"""What an update makes of a record. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from mcpbridge.integrations.credential import Stored
from mcpbridge.integrations.credentials import credentials, with_credentials
from mcpbridge.integrations.errors import FieldProblem, InvalidRecord, RevisionConflict
from mcpbridge.integrations.problems import problem
from mcpbridge.integrations.record import Integration
from mcpbridge.integrations.stored import READ_ONLY, StoredIntegration
from mcpbridge.secret import Secret
from mcpbridge.tools import Json

Record = TypeVar("Record", bound=Integration)

FIXED = ("name", "protocol")
"""What names an integration for ever: tools, approvals and tokens hang on it."""


def merged(old: StoredIntegration, changes: Mapping[str, Json]) -> Integration:
    """The record after an update: a field that is given replaces the old one, null puts back its default.

    `auth`, `headers` and `env` are replaced whole, but for credentials: one that comes back as its mask stays, and so
    does one that is left out of an `auth` of the same type. What a view has besides the record may come back too,
    unchanged; its revision is then the one that the update is of.

    Raises: InvalidRecord; RevisionConflict.
    """
    _check_read_only(old, changes)
    given = {name: value for name, value in changes.items() if name not in READ_ONLY}
    values = {**_fields(old.record), **given}
    if "auth" in given:
        values["auth"] = _auth(_fields(old.record.auth), given["auth"])
    new = Integration(**{name: value for name, value in values.items() if value is not None or name in FIXED})
    return kept(new, old.record)


def kept(new: Record, old: Integration | None) -> Record:
    """The record, with each credential that is to stay as the old record has it.

    Raises: InvalidRecord where nothing is stored that could stay.
    """
    if not any(isinstance(value, Stored) for value in credentials(new).values()):
        return new
    before = credentials(old) if old is not None and old.auth.type == new.auth.type else _besides_auth(old)
    missing: list[FieldProblem] = []

    def settle(path: str, value: Secret | Stored) -> Secret | Stored:
        if isinstance(value, Secret):
            return value
        if path not in before:
            missing.append(problem(path, "is a mask, and nothing is stored there: give the credential itself"))
        return before.get(path, value)

    settled = with_credentials(new, settle)
    if missing:
        raise InvalidRecord(missing, name=new.name)
    return settled


def changed_fields(old: Integration, new: Integration) -> frozenset[str]:
    """The names of the fields whose values differ."""
    names = {*type(old).model_fields, *type(new).model_fields}
    return frozenset(name for name in names if getattr(old, name, None) != getattr(new, name, None))


def _besides_auth(old: Integration | None) -> Mapping[str, Secret | Stored]:
    found = credentials(old) if old is not None else {}
    return {path: value for path, value in found.items() if not path.startswith("auth.")}


def _auth(old: Mapping[str, Any], given: Json) -> Json:
    """The new `auth`, with the old one's credentials where it is of the same type and leaves them out."""
    if not isinstance(given, Mapping):
        return given
    stated = cast("Mapping[str, Any]", given)
    if stated.get("type", old["type"]) != old["type"]:
        return stated
    return {"type": old["type"], **{name: value for name, value in old.items() if _held(value)}, **stated}


def _held(value: object) -> bool:
    """Whether this is a credential, or an object of them."""
    if isinstance(value, Mapping):
        return all(isinstance(each, Secret | Stored) for each in cast("Mapping[str, object]", value).values())
    return isinstance(value, Secret | Stored)


def _check_read_only(old: StoredIntegration, changes: Mapping[str, Json]) -> None:
    if "revision" in changes and changes["revision"] != old.revision:
        raise RevisionConflict(old.name, changes["revision"])
    now = {**{name: getattr(old, name) for name in READ_ONLY}, "name": old.name, "protocol": old.record.protocol}
    if fixed := [name for name in now if name in changes and changes[name] != now[name]]:
        raise InvalidRecord([problem(name, _UNCHANGED[name in FIXED]) for name in fixed], name=old.name)


_UNCHANGED = ("is not yours to set: leave it out", "can't be changed: delete the integration and create another")


def _fields(model: BaseModel) -> dict[str, Any]:
    return {name: getattr(model, name) for name in type(model).model_fields}
