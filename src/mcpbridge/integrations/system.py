"""The host's own integrations: read-only, the same for every tenant, who may only switch them on and off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mcpbridge.errors import ConfigError
from mcpbridge.integrations.record import Integration
from mcpbridge.integrations.stored import StoredIntegration, document_of


@dataclass(frozen=True, slots=True)
class SystemRegistry:
    """System integrations by slug."""

    records: Mapping[str, Integration]

    @classmethod
    def of(cls, records: Iterable[Integration]) -> SystemRegistry:
        """Raises: ConfigError for two of one name, and for one that is private."""
        found: dict[str, Integration] = {}
        for record in records:
            if record.name in found:
                raise ConfigError(f"two system integrations are named {record.name!r}: give each its own name")
            if record.visibility == "private":
                raise ConfigError(f"the system integration {record.name!r} can't be private: it is every tenant's")
            found[record.name] = record
        return cls(found)

    def of_tenant(self, name: str, tenant: str, row: Mapping[Any, Any] | None) -> StoredIntegration:
        """The integration as a tenant has it; `row` is where the tenant switched it, if it did."""
        record = self.records[name]
        if row is not None:
            record = record.model_copy(update={"enabled": row["enabled"], "reason": row["reason"]})
        return StoredIntegration(
            id=f"sys_{name}",
            tenant=tenant,
            name=name,
            revision=row["revision"] if row is not None else 1,
            state="pending" if record.enabled else "disabled",
            enabled=record.enabled,
            created_at=0.0,
            updated_at=row["updated"] if row is not None else 0.0,
            system=True,
            given=record,
            document=document_of(record),
        )
