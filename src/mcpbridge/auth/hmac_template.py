"""Templates of what is signed, and of the headers that carry it: `v0:{timestamp}:{body}`. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Final, TypeAlias

from mcpbridge.errors import ConfigError
from mcpbridge.openapi.headers import TOKEN

OF_MESSAGE: Final = frozenset(
    {
        "method",
        "url",
        "host",
        "path",
        "query",
        "target",
        "header",
        "body",
        "body_digest",
        "timestamp",
        "nonce",
        "key_id",
    }
)
OF_HEADER: Final = frozenset({"signature", "timestamp", "nonce", "key_id"})

MOST: Final = 8 * 1024
"""Characters of a header that are read."""


@dataclass(frozen=True, slots=True)
class Template:
    """Literal text, each piece with the field behind it and the field's argument (`{header:Date}`)."""

    parts: tuple[tuple[str, str | None, str], ...]

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields."""
        return frozenset(name for _, name, _ in self.parts if name is not None)

    def fill(self, value: Callable[[str, str], bytes]) -> bytes:
        """The text with what `value` gives for a field and its argument."""
        filled: list[bytes] = []
        for literal, name, argument in self.parts:
            filled.append(literal.encode())
            if name is not None:
                filled.append(value(name, argument))
        return b"".join(filled)

    def pattern(self) -> re.Pattern[str]:
        """What finds the fields again. None holds the character that follows it, so that there is one reading."""
        followed = [literal[:1] for literal, _, _ in self.parts[1:]] + [""]
        written = ""
        for (literal, name, _), stop in zip(self.parts, followed, strict=True):
            written += re.escape(literal)
            if name is not None:
                written += f"(?P<{name}>(?:(?!{re.escape(stop)})[ -~])+)" if stop else f"(?P<{name}>[ -~]+)"
        return re.compile(written)


def read_template(what: str, text: str, known: Collection[str]) -> Template:
    """The template of a text. Raises: ConfigError for unknown fields, and braces that don't pair."""
    try:
        parts = [*Formatter().parse(text)]
    except ValueError as error:
        raise ConfigError(f"HmacSignature({what}={text!r}): {error}; write {{{{ and }}}} for braces") from None
    for _, name, argument, conversion in parts:
        if name is None:
            continue
        if name not in known or conversion or (argument and name != "header"):
            names = ", ".join(f"{{{each}}}" for each in sorted(known))
            raise ConfigError(f"HmacSignature({what}={text!r}): {{{name}}} is no field there; there are {names}")
        if name == "header" and TOKEN.fullmatch(argument or "") is None:
            raise ConfigError(f"HmacSignature({what}={text!r}): name the header, as in {{header:Date}}")
    return Template(tuple((literal, name, argument or "") for literal, name, argument, _ in parts))


def header_template(name: str, text: str, separator: str) -> tuple[Template, ...]:
    """The parts of a header between its separators. Raises: ConfigError for what could not be read back."""
    if TOKEN.fullmatch(name) is None:
        raise ConfigError(f"HmacSignature(headers={{{name!r}: …}}) has no name of a header")
    if not text.isascii() or not text.isprintable():
        raise ConfigError(f"HmacSignature(headers={{{name!r}: …}}) must be printable ASCII")
    pieces = text.split(separator) if separator else [text]
    templates = tuple(read_template(f"headers[{name!r}]", piece, OF_HEADER) for piece in pieces)
    for template in templates:
        fields = [field for _, field, _ in template.parts if field is not None]
        touching = any(not literal for literal, field, _ in template.parts[1:] if field is not None)
        if touching or len(set(fields)) < len(fields):
            raise ConfigError(f"HmacSignature(headers={{{name!r}: {text!r}}}): put text between fields, each once")
    return templates


Found: TypeAlias = dict[str, list[str]]


def read_back(templates: Mapping[str, tuple[Template, ...]], separator: str, header: Callable[[str], str]) -> Found:
    """The fields that headers hold: each text that stands for one, in order. What fits no template is passed over."""
    found: Found = {}
    for name, pieces in templates.items():
        text = header(name)[:MOST]
        patterns = [piece.pattern() for piece in pieces]
        for part in text.split(separator) if separator else [text]:
            for pattern in patterns:
                if (match := pattern.fullmatch(part.strip())) is not None:
                    for field, value in match.groupdict().items():
                        found.setdefault(field, []).append(value)
    return found


def check_together(
    message: Template,
    headers: Mapping[str, tuple[Template, ...]],
    *,
    key_id: str | None,
    tolerance: float | None,
) -> None:
    """Passes templates that go together. Raises: ConfigError with both fields named."""
    sent = frozenset[str]().union(*(piece.fields for pieces in headers.values() for piece in pieces))
    used = sent | message.fields
    if "signature" not in sent:
        raise ConfigError("HmacSignature: no header of headers=… holds {signature}")
    for name in ("timestamp", "nonce"):
        if name in message.fields and name not in sent:
            raise ConfigError(f"HmacSignature: message=… signs {{{name}}}, and no header of headers=… carries it")
    if "timestamp" in sent and "timestamp" not in message.fields:
        raise ConfigError("HmacSignature: headers=… carries {timestamp}, and message=… does not sign it")
    if tolerance is not None and not 0 < tolerance < math.inf:
        raise ConfigError(f"HmacSignature(tolerance={tolerance!r}) must be seconds above 0")
    if tolerance is not None and "timestamp" not in message.fields:
        raise ConfigError("HmacSignature: tolerance=… is given, and message=… has no {timestamp}")
    if key_id is None and "key_id" in used:
        raise ConfigError("HmacSignature: {key_id} stands in message=… or headers=…, and key_id=… is missing")
    if key_id is not None and "key_id" not in used:
        raise ConfigError("HmacSignature: key_id=… is given, and neither message=… nor headers=… has {key_id}")
    if key_id is not None and not (key_id.isascii() and key_id.isprintable() and key_id.strip()):
        raise ConfigError("HmacSignature(key_id=…) must be printable ASCII, not empty")
