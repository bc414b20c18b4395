"""The keywords of a schema that hold plain values, and how wrong ones are repaired.

Each rule gets a keyword's value and gives what JSON Schema 2020-12 has to say instead: pairs to put into the converted
schema. What cannot be repaired is dropped, because a schema that is not valid makes the whole tool unusable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias, cast

from mcpbridge.openapi.patterns import runs
from mcpbridge.openapi.problems import Severity
from mcpbridge.openapi.wording import line

Json: TypeAlias = Any
Raw: TypeAlias = "dict[str, Any]"
Say: TypeAlias = Callable[[Severity, str, str, str], None]
"""Reports (severity, keyword, message, repair)."""

TYPES = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})
MISSING: Any = object()

_SYNONYMS: Mapping[str, tuple[str, str | None]] = {
    "int": ("integer", None),
    "int32": ("integer", "int32"),
    "int64": ("integer", "int64"),
    "long": ("integer", "int64"),
    "short": ("integer", None),
    "float": ("number", "float"),
    "double": ("number", "double"),
    "decimal": ("number", None),
    "numeric": ("number", None),
    "bool": ("boolean", None),
    "str": ("string", None),
    "text": ("string", None),
    "char": ("string", None),
    "enum": ("string", None),
    "date": ("string", "date"),
    "datetime": ("string", "date-time"),
    "date-time": ("string", "date-time"),
    "dateTime": ("string", "date-time"),
    "uuid": ("string", "uuid"),
    "uri": ("string", "uri"),
    "url": ("string", "uri"),
    "file": ("string", "binary"),
    "binary": ("string", "binary"),
    "list": ("array", None),
    "dict": ("object", None),
    "map": ("object", None),
    "json": ("object", None),
}
"""Words that descriptions use for types, and the type and format that are meant."""

_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


class Types(NamedTuple):
    """A repaired `type`, and the format that its word meant."""

    value: str | list[str] | None
    format: str | None = None


def types_of(value: Json, say: Say) -> Types:
    """The `type` keyword by JSON Schema's words; None where it says nothing that can be kept."""
    if isinstance(value, str):
        return _one_type(value, say)
    if isinstance(value, list):
        found = [_one_type("null" if each is None else each, say) for each in cast("list[Json]", value)]
        names = list(dict.fromkeys(each.value for each in found if isinstance(each.value, str)))
        return Types(names[0] if len(names) == 1 else names or None, next((each.format for each in found), None))
    if value is not None:
        say("warning", "type", f"the type is {_shown(value)}, not a word", "left out")
    return Types(None)


def _one_type(word: Json, say: Say) -> Types:
    if word in TYPES:
        return Types(word)
    known = _SYNONYMS.get(word) or _SYNONYMS.get(word.lower()) if isinstance(word, str) else None
    if known is None and isinstance(word, str) and word.lower() in TYPES:
        known = (word.lower(), None)
    if known is None:
        if word != "any":
            say("warning", "type", f"{_shown(word)} is no type of JSON Schema", "any type is accepted")
        return Types(None)
    if word != "file":
        say("warning", "type", f"{word!r} is no type of JSON Schema", f"read as {known[0]!r}")
    return Types(*known)


def number(value: Json) -> int | float | None:
    """A finite number, also where it is written as text; None for anything else."""
    kind = type(value)
    if kind is int:
        return cast("int", value)
    if kind is float:
        return cast("float", value) if value - value == 0 else None
    if kind is str and len(value) < 40:
        try:
            parsed = float(value)
        except ValueError:
            return None
        return None if parsed - parsed != 0 else int(parsed) if parsed.is_integer() and "e" not in value else parsed
    return None


def bound(out: Raw, key: str, value: Json, raw: Raw, say: Say) -> None:
    """`minimum`, `maximum`; a boolean `exclusiveMinimum` beside it (OpenAPI 3.0, draft 4) becomes the bound itself."""
    if (limit := number(value)) is None:
        _dropped(say, key, value)
        return
    exclusive = "exclusive" + key[0].upper() + key[1:]
    excluded = raw.get(exclusive)
    out[exclusive if excluded is True or excluded == "true" else key] = limit


def exclusive(out: Raw, key: str, value: Json, _raw: Raw, say: Say) -> None:
    """`exclusiveMinimum`, `exclusiveMaximum` as numbers; the boolean ones are `bound`'s."""
    if isinstance(value, bool) or value in ("true", "false"):
        return
    if (limit := number(value)) is None:
        _dropped(say, key, value)
    else:
        out[key] = limit


def multiple(out: Raw, key: str, value: Json, _raw: Raw, say: Say) -> None:
    """`multipleOf`, which has to be greater than 0."""
    step = number(value)
    if step is None or step <= 0:
        _dropped(say, key, value)
    else:
        out[key] = step


def count(out: Raw, key: str, value: Json, _raw: Raw, say: Say) -> None:
    """`minLength`, `maxItems` and the like: integers from 0."""
    size = number(value)
    if size is None or size < 0 or size != int(size):
        _dropped(say, key, value)
    else:
        out[key] = int(size)


def flag(out: Raw, key: str, value: Json, _raw: Raw, say: Say) -> None:
    """`uniqueItems`, `deprecated`: booleans, kept where they are true."""
    if value is True or value == "true":
        out[key] = True
    elif value is not False and value is not None and value != "false":
        _dropped(say, key, value)


def word(out: Raw, key: str, value: Json, _raw: Raw, say: Say) -> None:
    """`format`, `contentEncoding`, `contentMediaType`: text."""
    if isinstance(value, str):
        out.setdefault(key, value) if key == "format" else out.update({key: value})
    elif value is not None:
        _dropped(say, key, value)


def pattern(out: Raw, key: str, value: Json, _raw: Raw, say: Say) -> None:
    """`pattern`, where the validator can run it."""
    if not isinstance(value, str):
        _dropped(say, key, value)
    elif runs(value):
        out[key] = value
    else:
        say("warning", key, f"the pattern {line(value, 80)!r} cannot be run", "dropped: any text is accepted there")


def description(out: Raw, key: str, value: Json, _raw: Raw, _say: Say) -> None:
    """A `description` in one clean line of a bounded length."""
    if isinstance(value, str) and (text := line(value)):
        out[key] = text


def title(out: Raw, key: str, value: Json, raw: Raw, _say: Say) -> None:
    """A `title`, where nothing else describes the schema: generators repeat the name of the property in it."""
    if isinstance(value, str) and not raw.get("description") and (text := line(value, 100)):
        out[key] = text


def default(out: Raw, key: str, value: Json, _raw: Raw, say: Say) -> None:
    """`default` and `const`: any JSON value that can be written."""
    if writable(value):
        out[key] = value
    else:
        _dropped(say, key, value)


def example(out: Raw, _key: str, value: Json, raw: Raw, _say: Say) -> None:
    """OpenAPI 3.0's `example` as `examples`, where it is short."""
    if "examples" not in raw and short(value):
        out["examples"] = [value]


def examples(out: Raw, key: str, value: Json, _raw: Raw, _say: Say) -> None:
    """At most two short `examples`."""
    if isinstance(value, list) and (kept := [each for each in cast("list[Json]", value)[:4] if short(each)][:2]):
        out[key] = kept


def enum(out: Raw, value: Json, say: Say) -> None:
    """`enum`, its values made to fit the converted type: YAML reads `1` and `true` where text was meant.

    Where they cannot be, the values count and the type goes.
    """
    if not isinstance(value, list):
        _dropped(say, "enum", value)
        return
    values = [each for each in cast("list[Json]", value) if writable(each)]
    if not values:
        say("warning", "enum", "the list of allowed values is empty", "dropped: any value is accepted")
        return
    kind = out.get("type")
    wanted = _python_types(kind)
    if not wanted or all(type(each) in wanted or each is None for each in values):
        out["enum"] = values
        return
    fitted = [_fit(each, cast("str | list[str]", kind), wanted) for each in values]
    if MISSING in fitted:
        say("warning", "enum", f"allowed values are not of type {kind!r}", "the values count, not the type")
        out["enum"] = values
        del out["type"]
        return
    say("warning", "enum", f"allowed values are not of type {kind!r}", "read as if they were")
    out["enum"] = list({repr(each): each for each in fitted}.values())


def _python_types(kind: Json) -> tuple[type, ...]:
    kinds = cast("list[str]", kind) if isinstance(kind, list) else [kind] if isinstance(kind, str) else []
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
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return -(10**300) < value < 10**300
    if kind is float:
        return cast("bool", value - value == 0)
    if depth == 0:
        return False
    if kind is dict:
        return all(writable(each, depth - 1) for each in value.values())
    return kind is list and all(writable(each, depth - 1) for each in value)


def short(value: Json) -> bool:
    """Whether a value is worth its place as an example: a short text, a number, a small container of such."""
    kind = type(value)
    if kind is str:
        return 0 < len(value) <= 80
    if kind is int or kind is float:
        return writable(value)
    if kind is list or kind is dict:
        inner = cast("list[Json]", value if kind is list else list(value.values()))
        return 0 < len(inner) <= 4 and all(type(each) not in (list, dict) and short(each) for each in inner)
    return False


def _dropped(say: Say, key: str, value: Json) -> None:
    say("warning", key, f"{key!r} cannot be {_shown(value)}", "dropped")


def _shown(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


RULES: Mapping[str, Callable[[Raw, str, Json, Raw, Say], None]] = {
    "description": description,
    "title": title,
    "format": word,
    "const": default,
    "default": default,
    "example": example,
    "examples": examples,
    "minimum": bound,
    "maximum": bound,
    "exclusiveMinimum": exclusive,
    "exclusiveMaximum": exclusive,
    "multipleOf": multiple,
    "pattern": pattern,
    **dict.fromkeys(
        (
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "minProperties",
            "maxProperties",
            "minContains",
            "maxContains",
        ),
        count,
    ),
    "uniqueItems": flag,
    "deprecated": flag,
    "contentEncoding": word,
    "contentMediaType": word,
}
"""What becomes of a keyword that holds a plain value. What stands neither here nor among the applicators is dropped."""
