"""Which operations of a description become tools."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mcpbridge.openapi.operation import Operation


@dataclass(frozen=True, kw_only=True, slots=True)
class Select:
    """A choice of operations: those that fit every member that is set.

    tags, methods, operation_ids  any of these; methods in any case
    paths                         any of these, with `*` for any characters: `/repos/*`
    reads_only                    only operations that read
    deprecated                    False leaves out what is deprecated, True takes nothing else
    """

    tags: Collection[str] = ()
    paths: Collection[str] = ()
    methods: Collection[str] = ()
    operation_ids: Collection[str] = ()
    reads_only: bool = False
    deprecated: bool | None = None

    def __call__(self, operation: Operation) -> bool:
        """Whether the operation is chosen."""
        return (
            (not self.tags or not set(self.tags).isdisjoint(operation.tags))
            and (not self.paths or any(fnmatchcase(operation.path, path) for path in self.paths))
            and (not self.methods or operation.method in {method.upper() for method in self.methods})
            and (not self.operation_ids or operation.operation_id in self.operation_ids)
            and (not self.reads_only or operation.access == "read")
            and (self.deprecated is None or operation.deprecated is self.deprecated)
        )
