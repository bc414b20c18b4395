"""Arguments as JSON: whether they are, how large they are, and one text for each value. Pure."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import Any, TypeGuard

from mcpbridge.errors import ArgumentProblem, InvalidArguments
from mcpbridge.tools import Json

DEPTH = 100
"""How deep arguments may be nested."""

SIZE = 4 * 1024 * 1024
"""How large arguments may be: characters of all strings and names, and `VALUE` for each member and item."""

VALUE = 8
"""What each member and item counts: an empty one takes time and memory too."""


INTEGER_BITS = 13_287
"""About 4,000 digits: Python itself refuses to write integers longer than 4,300."""


_MEASURES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "null"),
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a number"),
    (str, "text of {} characters"),
    (Mapping, "an object of {} members"),
    ((list, tuple), "a list of {} items"),
)


_PLAIN_INTEGER = 1 << 63
_PLAIN_LENGTH = SIZE // VALUE


def check_plain(arguments: Mapping[str, Json], *, tool: str = "", depth: int = DEPTH, size: int = SIZE) -> None:
    """Passes arguments that are JSON (RFC 8259) of a bounded size; it never looks further than the bounds.

    Raises: InvalidArguments for another type, a name that is no string, NaN, Infinity, a lone surrogate, or too much.
    """
    weight = _weigh(arguments, min(depth, 10))
    if weight <= size:  # nearly every call: the walk that can name a problem is not needed
        return
    problem = _problem(arguments, depth, size) if weight >= _MUCH else _too_large(size)
    if problem is not None:
        raise InvalidArguments([problem], tool=tool)


def canonical(arguments: Mapping[str, Json], *, tool: str = "") -> str:
    """The one text of these arguments: names sorted, no spaces, integers exact, ASCII only.

    RFC 8785 writes numbers as doubles, which merges neighbouring integers above 2**53; here each keeps its digits.

    Raises: InvalidArguments for what `check_plain` refuses.
    """
    check_plain(arguments, tool=tool)
    return json.dumps(dict(arguments), sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(arguments: Mapping[str, Json], *, tool: str = "") -> str:
    """SHA-256 (hex) of the canonical arguments. Raises: InvalidArguments."""
    return hashlib.sha256(canonical(arguments, tool=tool).encode("ascii")).hexdigest()


def is_object(value: Json) -> TypeGuard[Mapping[Any, Json]]:
    """Whether it is a JSON object; its names may still be anything."""
    return isinstance(value, Mapping)


def is_list(value: Json) -> TypeGuard[Sequence[Json]]:
    """Whether it is a JSON array."""
    return isinstance(value, list | tuple)


def pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901 section 4)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def values_in(value: Json, most: int) -> int:
    """How many values it is made of, itself included; it counts no further than `most`."""
    stack, count = [value], 1
    while stack and count < most:
        part = stack.pop()
        parts: Sequence[Json] = [*part.values()] if is_object(part) else part if is_list(part) else ()
        count += len(parts)
        stack += (each for each in parts if is_object(each) or is_list(each))
    return count


def measure(value: Json) -> str:
    """What a value is, without its text: `text of 12 characters`, `an integer`."""
    for kinds, words in _MEASURES:
        if isinstance(value, kinds):
            return words.format(len(value) if isinstance(value, Sized) else "")
    return f"a Python {type(value).__name__}"


_MUCH = 1 << 62
"""More than any bound: what is not plainly in order is looked at again."""


def _weigh(value: Json, levels: int) -> int:
    """How large a value of the plainest types is, far quicker than `_problem` can tell. `_MUCH` for all others."""
    kind: type = value.__class__
    if kind is str:
        return len(value) if _encodes(value) else _MUCH
    if kind is bool or value is None:
        return 0
    if kind is int:
        return 0 if -_PLAIN_INTEGER < value < _PLAIN_INTEGER else _MUCH
    if kind is float:
        return 0 if math.isfinite(value) else _MUCH
    return _weigh_parts(value, kind, levels) if levels else _MUCH


def _weigh_parts(value: Json, kind: type, levels: int) -> int:
    if kind is list and len(value) < _PLAIN_LENGTH:
        return VALUE * len(value) + sum([_weigh(item, levels - 1) for item in value])
    if kind is not dict or len(value) >= _PLAIN_LENGTH or not all(type(name) is str for name in value):
        return _MUCH
    names = "".join(value)
    if not _encodes(names):
        return _MUCH
    return len(names) + VALUE * len(value) + sum([_weigh(member, levels - 1) for member in value.values()])


def _problem(arguments: Json, depth: int, size: int) -> ArgumentProblem | None:
    """The first problem, found with a stack of our own: nesting must not be able to exhaust Python's."""
    stack: list[tuple[tuple[str | int, ...], Json]] = [((), arguments)]
    left = size
    while stack:
        path, value = stack.pop()
        if is_object(value):
            for name in value:
                if not isinstance(name, str) or not _encodes(name):
                    return ArgumentProblem(path=pointer(*path), expected="names that are text", got=measure(name))
                left -= VALUE + len(name)
            parts: Iterable[tuple[str | int, Json]] = value.items()
        elif is_list(value):
            left -= VALUE * len(value)
            parts = enumerate(value)
        else:
            left -= len(value) if isinstance(value, str) else 0
            expected = _expected(value) if left >= 0 else ""
            if expected:
                return ArgumentProblem(path=pointer(*path), expected=expected, got=measure(value))
            parts = ()
        if left < 0:
            return _too_large(size)
        if parts and len(path) >= depth:
            return ArgumentProblem(path=pointer(*path[:3]), expected=f"at most {depth} levels of nesting", got="more")
        stack.extend(((*path, name), part) for name, part in parts)
    return None


def _too_large(size: int) -> ArgumentProblem:
    return ArgumentProblem(path="", expected=f"arguments of at most {size} characters", got="more")


def _expected(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return "" if value.bit_length() <= INTEGER_BITS else "an integer of at most 4,000 digits"
    if isinstance(value, str):
        return "" if _encodes(value) else "text without lone surrogates (RFC 8259 section 8.2)"
    if isinstance(value, float):
        return "" if math.isfinite(value) else "a finite number"
    return "a JSON value"


def _encodes(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
