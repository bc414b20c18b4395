"""What a store may raise, each with what to do next::

    StoreError
    ├── StoreBusy             another writer held it for longer than the store waits
    ├── StoreUnavailable      it can't be reached, or the connection was lost before anything was committed
    ├── StoreOutcomeUnknown   the connection was lost while a transaction was committed
    ├── StoreReadOnly         it can be read, and not written
    ├── StoreFull             no room is left
    └── StoreConflict         the record is taken, or what it belongs to is gone

Except for `StoreOutcomeUnknown`, nothing was written.
"""

from __future__ import annotations

from mcpbridge.errors import BridgeError


class StoreError(BridgeError):
    """The store did not do what it was asked."""

    code = "store"


class StoreBusy(StoreError):
    """Another writer held the store for longer than it waits; the same work may succeed later."""

    code = "store_busy"


class StoreUnavailable(StoreError):
    """The store can't be reached; the same work may succeed later."""

    code = "store_unavailable"


class StoreOutcomeUnknown(StoreError):
    """The connection was lost while a transaction was committed: read what stands before writing it again."""

    code = "store_outcome_unknown"


class StoreReadOnly(StoreError):
    """The store can be read, and not written."""

    code = "store_read_only"


class StoreFull(StoreError):
    """No room is left for what was to be written."""

    code = "store_full"


class StoreConflict(StoreError):
    """A record with this key is there already, or one that it belongs to is gone."""

    code = "store_conflict"
