"""The keywords of a schema that hold plain values, and how wrong ones are repaired.

Each rule gets a keyword's value and gives what JSON Schema 2020-12 has to say instead: pairs to put into the converted
schema. What cannot be repaired is dropped, because a schema that is not valid makes the whole tool unusable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from mcpbridge.openapi.jsontext import is_list
from mcpbridge.openapi.patterns import runs
from mcpbridge.openapi.values import Json, Raw, Say, number, short, shown, writable
from mcpbridge.openapi.wording import line

TYPES = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})

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


class Types(NamedTuple):
    """A repaired `type`, and the format that its word meant."""

    value: str | list[str] | None
    format: str | None = None


def types_of(value: Json, say: Say) -> Types:
    """The `type` keyword by JSON Schema's words; None where it says nothing that can be kept."""
    if isinstance(value, str):
        return _one_type(value, say)
    if is_list(value):
        found = [_one_type("null" if each is None else each, say) for each in value]
        names = list(dict.fromkeys(each.value for each in found if isinstance(each.value, str)))
        return Types(names[0] if len(names) == 1 else names or None, next((each.format for each in found), None))
    if value is not None:
        say("warning", "type", f"the type is {shown(value)}, not a word", "left out")
    return Types(None)


def _one_type(word: Json, say: Say) -> Types:
    if not isinstance(word, str):
        say("warning", "type", f"{shown(word)} is no type of JSON Schema", "any type is accepted")
        return Types(None)
    if word in TYPES:
        return Types(word)
    known = _SYNONYMS.get(word) or _SYNONYMS.get(word.lower())
    if known is None and word.lower() in TYPES:
        known = (word.lower(), None)
    if known is None:
        if word != "any":
            say("warning", "type", f"{shown(word)} is no type of JSON Schema", "any type is accepted")
        return Types(None)
    if word != "file":
        say("warning", "type", f"{word!r} is no type of JSON Schema", f"read as {known[0]!r}")
    return Types(*known)


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
    if is_list(value) and (kept := [each for each in value[:4] if short(each)][:2]):
        out[key] = kept


def _dropped(say: Say, key: str, value: Json) -> None:
    say("warning", key, f"{key!r} cannot be {shown(value)}", "dropped")


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
