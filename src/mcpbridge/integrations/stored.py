"""`StoredIntegration`: a record as it stands in the store, and the view of it that may be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from mcpbridge.integrations.credential import VIEW
from mcpbridge.integrations.record import Integration, McpIntegration, RestIntegration
from mcpbridge.tools import Json, State

_KEPT: Mapping[str, TypeAdapter[Any]] = {"rest": TypeAdapter(RestIntegration), "mcp": TypeAdapter(McpIntegration)}


@dataclass(frozen=True, kw_only=True)
class StoredIntegration:
    """One integration of a tenant. `document` is its JSON without credentials; `record` is that, read when first asked.

    `revision` grows by one with each change. `system` marks one of the host's own, that a tenant can only switch on and
    off. Times are seconds of the Unix epoch.
    """

    id: str
    tenant: str
    name: str
    revision: int
    state: State
    enabled: bool
    created_at: float
    updated_at: float
    system: bool = False
    document: Mapping[str, Json] = field(repr=False)
    given: Integration | None = field(default=None, repr=False)

    @cached_property
    def record(self) -> Integration:
        """The record. Its credentials are `Stored`, but for those of a system integration, which are there."""
        if self.given is not None:
            return self.given
        read: Integration = _KEPT[self.document["protocol"]].validate_python(self.document)
        return read

    def view(self) -> dict[str, Json]:
        """The integration as JSON for people: every field, but of a credential whether it is set, and since when."""
        about = {name: getattr(self, name) for name in READ_ONLY}
        return {**about, **self.record.model_dump(mode="json", context=VIEW)}


READ_ONLY = ("id", "tenant", "revision", "state", "created_at", "updated_at", "system")
"""What a view has besides the record's own fields."""


def document_of(record: Integration) -> dict[str, Json]:
    """The record as it is kept: JSON, without what is as it would be anyway, and without any credential's text."""
    return record.model_dump(mode="json", exclude_defaults=True)


def first(tenant: str, id: str, record: Integration, at: float) -> StoredIntegration:
    """A new integration, made at this time."""
    return _made(record, id=id, tenant=tenant, revision=1, created_at=at, updated_at=at)


def following(old: StoredIntegration, record: Integration, at: float) -> StoredIntegration:
    """The integration after a change, made at this time."""
    return _made(
        record, id=old.id, tenant=old.tenant, revision=old.revision + 1, created_at=old.created_at, updated_at=at
    )


def _made(record: Integration, **about: Any) -> StoredIntegration:
    state: State = "pending" if record.enabled else "disabled"
    document = document_of(record)
    return StoredIntegration(name=record.name, state=state, enabled=record.enabled, document=document, **about)
