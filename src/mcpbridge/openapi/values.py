"""JSON values inside schemas: whether they can be written, are worth showing, and fit the type beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from mcpbridge.openapi.jsontext import is_list
from mcpbridge.openapi.problems import Severity

Json: TypeAlias = Any
Raw: TypeAlias = "dict[str, Any]"
Say: TypeAlias = Callable[[Severity, str, str, str], None]
"""Reports (severity, keyword, message, repair)."""

MISSING: Any = object()

_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


def number(value: Json) -> int | float | None:
    """A finite number, also where it is written as text; None for anything else."""
    kind: Any = value.__class__
    if kind is int or (kind is float and value - value == 0):
        number: int | float = value
        return number
    if kind is str and len(value) < 40:
        try:
            parsed = float(value)
        except ValueError:
            return None
        return None if parsed - parsed != 0 else int(parsed) if parsed.is_integer() and "e" not in value else parsed
    return None


def enum(out: Raw, value: Json, say: Say) -> None:
    """`enum`, its values made to fit the converted type: YAML reads `1` and `true` where text was meant.

    Where they cannot be, the values count and the type goes.
    """
    if not is_list(value):
        say("warning", "enum", f"'enum' cannot be {shown(value)}", "dropped")
        return
    values = [each for each in value if writable(each)]
    if not values:
        say("warning", "enum", "the list of allowed values is empty", "dropped: any value is accepted")
        return
    kind = out.get("type")
    wanted = _python_types(kind)
    if not wanted or all(type(each) in wanted or each is None for each in values):
        out["enum"] = values
        return
    fitted = [_fit(each, kind or "", wanted) for each in values]
    if MISSING in fitted:
        say("warning", "enum", f"allowed values are not of type {kind!r}", "the values count, not the type")
        out["enum"] = values
        del out["type"]
        return
    say("warning", "enum", f"allowed values are not of type {kind!r}", "read as if they were")
    out["enum"] = list({repr(each): each for each in fitted}.values())


def _python_types(kind: Json) -> tuple[type, ...]:
    kinds = kind if is_list(kind) else [kind] if isinstance(kind, str) else []
    return tuple(each for name in kinds for each in _PYTHON_TYPES[name])


def _fit(value: Json, kinds: str | list[str], wanted: tuple[type, ...]) -> Json:
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if type(value) in wanted or value is None:
        return value
    if kind == "string" and isinstance(value, bool):
        return "true" if value else "false"
    if kind == "string" and isinstance(value, int | float):
        return str(value)
    if (
        kind in ("integer", "number")
        and (parsed := number(value)) is not None
        and (kind == "number" or parsed == int(parsed))
    ):
        return parsed
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    return MISSING


def writable(value: Json, depth: int = 32) -> bool:
    """Whether a value is JSON that can be written: finite numbers of a sane size, not nested too deep."""
    kind: Any = value.__class__
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-(10**300) < value < 10**300)
    if kind is float:
        return bool(value - value == 0)
    if depth == 0:
        return False
    if kind is dict:
        return all(writable(each, depth - 1) for each in value.values())
    return kind is list and all(writable(each, depth - 1) for each in value)


def short(value: Json) -> bool:
    """Whether a value is worth its place as an example: a short text, a number, a small container of such."""
    kind: Any = value.__class__
    if kind is str:
        return 0 < len(value) <= 80
    if kind is int or kind is float:
        return writable(value)
    if kind is list or (kind is dict and "$ref" not in value):
        inner = value if kind is list else list(value.values())
        return 0 < len(inner) <= 4 and all(type(each) not in (list, dict) and short(each) for each in inner)
    return False


def shown(value: Json) -> str:
    """A value in a message, cut short."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
