"""Which security schemes an operation wants (OpenAPI 3.1 section 4.8.30)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mcpbridge.openapi.jsontext import is_object
from mcpbridge.openapi.operation import Requirement
from mcpbridge.openapi.reading import Node, list_in


def says_of_security(root: Node, operations: Iterable[Node]) -> bool:
    """Whether the description speaks of security at all: only then an operation without a word of it wants none."""
    return "security" in root or any("security" in operation for operation in operations)


def requirements_of(operation: Node, root: Node) -> Sequence[Requirement]:
    """The alternatives of an operation: its own, else those of the description; empty where it wants nothing."""
    stated = list_in(operation if "security" in operation else root, "security")
    return tuple(_requirement(each) for each in stated if is_object(each))


def _requirement(stated: Node) -> Requirement:
    return {name: tuple(map(str, list_in(stated, name))) for name in stated}
