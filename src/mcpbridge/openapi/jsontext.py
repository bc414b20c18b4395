"""JSON values: their kinds as type checkers see them, and texts that others wrote, read with care."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from math import isinf
from typing import Never, TypeGuard

from mcpbridge.tools import Json

_DEEPEST = 100
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


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
    """JSON of an upstream, as something that can be written again: U+FFFD stands for a half of a surrogate pair.

    Raises: ValueError, also for numbers beyond a double.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return _whole(value) if _SURROGATE.search(text) else value


def parse_all(texts: Sequence[str]) -> list[Json]:
    """One value of each text; all at once, since one at a time takes far longer. Raises: ValueError."""
    values: list[Json] = parse_json(f"[{','.join(texts)}]")
    if len(values) != len(texts):
        raise ValueError("a text that is no JSON by itself")
    return values


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


def _finite(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise ValueError("a number beyond a double")
    return value


def _whole(value: Json) -> Json:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _no_constant(word: str) -> Never:
    raise ValueError(f"{word} is no JSON")
