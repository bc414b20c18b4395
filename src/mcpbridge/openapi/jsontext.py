"""JSON that others wrote, read with care."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Never, cast

from mcpbridge.tools import Json

_DEEPEST = 100


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
        level = [child for node in level for child in _children(node) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _children(node: Json) -> Iterable[Json]:
    if isinstance(node, dict):
        return cast("dict[str, Json]", node).values()
    return cast("list[Json]", node) if isinstance(node, list) else ()


def _no_constant(word: str) -> Never:
    raise ValueError(f"{word} is no JSON")
