"""What a person is shown of a call: the real tool, its arguments masked, bounded and without disguise. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping

from mcpbridge.secret import MASK
from mcpbridge.tools import Json, Tool
from mcpbridge.wrap.plain import is_list, is_object

ARGUMENTS = 40
"""How many arguments are shown, each on a line of its own."""

VALUE = 300
"""How many characters of each value are shown."""

NAME = 80
"""How many characters of a name are shown."""

_ALWAYS_SECRET = re.compile(
    r"passw|passphrase|passcode|pwd|secret|apikey|accesskey|privatekey|authorization|credential|cookie|signature|^(?:pin|otp|cvv|cvc|auth)$"
)
_SECRET_TEXT = re.compile(r"token|session|^key$|jwt|bearer")
"""Names of secrets where the value is text; as numbers they are counts (`max_tokens`)."""

_DISGUISES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Characters that show nothing and are of no category that says so."""


def show_call(
    tool: Tool, arguments: Mapping[str, Json], digest: str, reason: str = "", *, in_doubt: bool = False
) -> str:
    """The question's text. Nothing that comes from the caller or the upstream can look like another line of it.

    `in_doubt` says that the same call was let through before, and that nobody knows whether it ran.
    """
    origin = "/".join(part for part in (tool.origin.slug, tool.origin.name) if part)
    lines = [
        f"Allow this call of {visible(tool.name, NAME)}?",
        f"Tool: {visible(tool.name, NAME)} ({tool.access})" + (f", from {visible(origin, NAME)}" if origin else ""),
        *([f"Why you are asked: {visible(reason, VALUE)}"] if reason else []),
        *(["Careful: this very call was approved before, and may have run already."] if in_doubt else []),
        *_argument_lines(tool, arguments),
        f"SHA-256 of the arguments: {digest}",
    ]
    return "\n".join(lines)


def visible(text: str, limit: int) -> str:
    """The text on one line, cut, with every character that could hide or disguise something as an escape."""
    cut = text if len(text) <= limit else text[:limit]
    shown = "".join(_escaped(cut))
    return shown if cut is text else f"{shown}… ({len(text)} characters in all)"


def mask(name: str, value: Json) -> bool:
    """Whether the value under this name is likely a secret."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if _ALWAYS_SECRET.search(plain):
        return True
    return bool(_SECRET_TEXT.search(plain)) and not isinstance(value, int | float | None)


def _argument_lines(tool: Tool, arguments: Mapping[str, Json]) -> Iterator[str]:
    if not arguments:
        yield "Arguments: none"
        return
    yield "Arguments:"
    properties = tool.input_schema.get("properties")
    for number, (name, value) in enumerate(sorted(arguments.items())):
        if number == ARGUMENTS:
            yield f"  … and {len(arguments) - ARGUMENTS} more arguments that are not shown"
            return
        schema = properties.get(name) if is_object(properties) else None
        hidden = mask(name, value) or _declared_secret(schema)
        text = f'"{MASK}"' if hidden else _value(value)
        yield f"  {visible(json.dumps(name, ensure_ascii=False), NAME)}: {text}"


def _declared_secret(schema: Json) -> bool:
    return is_object(schema) and (schema.get("format") == "password" or schema.get("writeOnly") is True)


def _value(value: Json) -> str:
    """The value as JSON, masked inside and cut; it is written only as far as it is shown."""
    parts: list[str] = []
    size = 0
    for part in _written(value):
        parts.append(part)
        size += len(part)
        if size > VALUE:
            size_words = f"text of {len(value)} characters" if isinstance(value, str) else "a longer value"
            return f"{''.join(_escaped(''.join(parts)[:VALUE]))}… (cut: {size_words})"
    return "".join(_escaped("".join(parts)))


def _written(value: Json) -> Iterator[str]:
    if is_object(value):
        yield "{"
        for number, (name, member) in enumerate(value.items()):
            yield (", " if number else "") + json.dumps(name[: VALUE + 1], ensure_ascii=False) + ": "
            yield from ([f'"{MASK}"'] if mask(name[: VALUE + 1], member) else _written(member))
        yield "}"
    elif is_list(value):
        yield "["
        for number, item in enumerate(value):
            yield ", " if number else ""
            yield from _written(item)
        yield "]"
    else:
        yield json.dumps(value[: VALUE + 1] if isinstance(value, str) else value, ensure_ascii=False)


def _escaped(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if category in _DISGUISES or marks > 2 or _BLANK.match(character) or (category == "Zs" and character != " "):
            code = ord(character)
            yield f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
        else:
            yield character
