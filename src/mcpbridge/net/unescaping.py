"""Whether a text stands in an answer, however it is escaped. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape
from urllib.parse import unquote

LEAST = 8
"""Characters that a credential has at least to be looked for: a shorter one is found in words that mean nothing."""

_ROUNDS = 4
"""Escapes of escapes that are looked through: JSON in JSON, a URL in a URL."""

_UNIT = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")
_MARKS = (b"\\", b"%", b"&", b"\0")


def holds(content: bytes, texts: Iterable[str]) -> bool:
    """Whether any of the texts stands in the content, as it is or behind escapes of JSON, URLs and HTML.

    Content in UTF-16 or UTF-32 is looked at without the zero bytes between its characters.
    """
    if not any(mark in content for mark in _MARKS):
        return any(text.encode("utf-8", "surrogatepass") in content for text in texts)
    wanted = {each for text in texts for each in _rounds(text) if len(each) >= LEAST}
    shown = content.replace(b"\0", b"").decode("utf-8", "replace")
    return any(text in each for each in _rounds(shown) for text in wanted)


def _rounds(text: str) -> Iterator[str]:
    """The text, and what is left of it as escapes are taken out."""
    for _ in range(_ROUNDS):
        yield text
        plain = unquote(unescape(_UNIT.sub(_character, text))).replace("\\", "")
        if plain == text:
            return
        text = plain
    yield text


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1] or found[2], 16))
