"""The tables, one schema for SQLite and Postgres.

Times are seconds of the Unix epoch by the database's clock. Who has no tenant is of the tenant `""`. A shared token is
that of the user `""`. What changes by compare-and-set has a `revision` or `version` that grows by one.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, String, primary_key=key, nullable=False)


def _number(name: str, *, key: bool = False) -> Column[int]:
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), primary_key=key, nullable=False)


def _time(name: str, *, optional: bool = False) -> Column[float]:
    return Column(name, Double, nullable=optional)


schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))
"""One row: which schema the database has."""

revisions = Table("revisions", metadata, _text("tenant", key=True), _number("revision"))
"""How often a tenant's records changed: see `mcpbridge.store.changes`."""

leases = Table("leases", metadata, _text("name", key=True), _text("holder"), _number("fence"), _time("expires"))
"""Who may do what one alone may do: see `mcpbridge.store.leases`."""

integrations = Table(
    "integrations",
    metadata,
    _text("id", key=True),
    _text("tenant"),
    _text("slug"),
    _number("revision"),
    _text("category"),
    _text("state"),
    Column("enabled", Boolean, nullable=False),
    Column("record", JSON, nullable=False),
    _time("created"),
    _time("updated"),
    UniqueConstraint("tenant", "slug"),
    Index("integrations_by_category", "tenant", "category"),
    Index("integrations_by_state", "tenant", "state"),
)

enablements = Table(
    "enablements",
    metadata,
    _text("tenant", key=True),
    _text("slug", key=True),
    Column("enabled", Boolean, nullable=False),
    _text("reason"),
    _number("revision"),
    _time("updated"),
)
"""Which system integrations, that are no rows here, a tenant has switched on or off."""


def _sealed() -> tuple[Column[str], Column[bytes], Column[bytes]]:
    """What the vault wrote: the name of the key, the data key wrapped by it, and the text sealed by the data key."""
    return (
        _text("key_id"),
        Column("wrapped", LargeBinary, nullable=False),
        Column("sealed", LargeBinary, nullable=False),
    )


secrets = Table(
    "secrets",
    metadata,
    _text("tenant", key=True),
    _text("integration", key=True),
    _text("field", key=True),
    _number("revision"),
    *_sealed(),
    _time("updated"),
    Index("secrets_by_key", "key_id"),
)

tokens = Table(
    "tokens",
    metadata,
    _text("tenant", key=True),
    _text("integration", key=True),
    _text("user", key=True),
    _number("version"),
    _text("state"),
    *_sealed(),
    _time("expires", optional=True),
    _time("updated"),
    Index("tokens_by_key", "key_id"),
)

logins = Table(
    "logins",
    metadata,
    _text("id", key=True),
    _text("tenant"),
    _text("integration"),
    _text("user"),
    _text("browser"),
    *_sealed(),
    _time("created"),
    _time("expires"),
    Index("logins_by_expiry", "expires"),
)
"""Logins that were begun and not finished; `id` and `browser` are digests of what the browser brings back."""

approvals = Table(
    "approvals",
    metadata,
    _text("id", key=True),
    _text("tenant"),
    _text("caller"),
    _text("binding"),
    _text("state"),
    Column("queued", Boolean, nullable=False),
    _number("version"),
    Column("request", JSON, nullable=False),
    _time("created"),
    _time("expires"),
    Index("approvals_by_binding", "binding"),
    Index("approvals_by_caller", "tenant", "caller", "created"),
    Index("approvals_by_state", "tenant", "state", "created"),
)

audit_chains = Table("audit_chains", metadata, _text("writer", key=True), _number("number"), _text("hash"))
"""The end of each writer's chain: its last number and hash."""

audit = Table(
    "audit",
    metadata,
    _text("writer", key=True),
    _number("number", key=True),
    _time("at"),
    _text("tenant"),
    _text("kind"),
    Column("entry", Text, nullable=False),
    _text("previous"),
    _text("hash"),
    ForeignKeyConstraint(["writer"], ["audit_chains.writer"]),
    Index("audit_by_time", "tenant", "at"),
)
"""One row for each event: `entry` is its one line of JSON, the other columns are taken from it to search by."""
