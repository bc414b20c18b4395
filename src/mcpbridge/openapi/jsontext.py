"""JSON values: their kinds as type checkers see them, and texts that others wrote, read with care."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Never, TypeGuard

from mcpbridge.tools import Json

_DEEPEST = 100


def is_list(value: Json) -> TypeGuard[list[Json]]:
    """Whether it is a JSON array."""
    return isinstance(value, list)


def is_object(value: Json) -> TypeGuard[dict[str, Json]]:
    """Whether it is a JSON object."""
    return isinstance(value, dict)


def is_container(value: Json) -> bool:
    """Whether it is a JSON array or object."""
    return isinstance(value, list | dict)


def parse_json(text: str) -> Json:
    """One JSON text (RFC 8259). Raises: ValueError, also for NaN, and for nesting that the parser refuses."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def too_deep(value: Json) -> bool:
    """Whether containers nest deeper than serialisers downstream take (100 levels)."""
    level: list[Json] = [value]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in _children(node) if is_container(child)]
        if not level:
            return False
    return True


def _children(node: Json) -> Iterable[Json]:
    if is_object(node):
        return node.values()
    return node if is_list(node) else ()


def _no_constant(word: str) -> Never:
    raise ValueError(f"{word} is no JSON")
