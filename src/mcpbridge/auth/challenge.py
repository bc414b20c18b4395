"""`read_challenges`: what a `WWW-Authenticate` header asks for (RFC 9110 section 11.6.1). Pure.

A field holds challenges between commas, and each challenge holds parameters between commas too: whether a word begins a
challenge is seen only from what follows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MOST = 16 * 1024
"""Characters of a field that are read; a challenge that ends beyond is left out."""

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_GAP = re.compile(r"[ \t,]*")
_SCHEME = re.compile(rf"({_WORD})(?:[ \t]+|(?=[ \t]*(?:,|\Z)))")
_PARAMETER = re.compile(rf'({_WORD})[ \t]*=[ \t]*(?:({_WORD})|"((?:[^"\\]|\\.)*)")[ \t]*(?=,|\Z)', re.DOTALL)
_TOKEN68 = re.compile(r"([A-Za-z0-9._~+/-]+=*)[ \t]*(?=,|\Z)")
_COMMA = re.compile(r"[ \t]*,[ \t,]*")
_PAIR = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Challenge:
    """One challenge. `scheme` and the names of `parameters` are in lower case; `token` is its token68, if it has one.

    A parameter that stands twice has its first value.
    """

    scheme: str
    token: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])


def read_challenges(header: str) -> Sequence[Challenge]:
    """The challenges, in their order. What can't be read ends the reading; what was read before it is kept."""
    text, found, place = header[:MOST], list[Challenge](), 0
    while (place := _after(_GAP, text, place)) < len(text):
        scheme = _SCHEME.match(text, place)
        if scheme is None:
            break
        name, place = scheme[1].lower(), scheme.end()
        parameters, end = _parameters(text, place)
        token = _TOKEN68.match(text, place) if not parameters else None
        found.append(Challenge(scheme=name, token=token[1] if token else None, parameters=parameters))
        place = token.end() if token else end
        if place < len(text) and text[place] != ",":
            break
    return found


def _parameters(text: str, place: int) -> tuple[dict[str, str], int]:
    """The parameters from a place on, and where they end."""
    found = dict[str, str]()
    while (each := _PARAMETER.match(text, place)) is not None:
        value = each[2] if each[2] is not None else _PAIR.sub(r"\1", each[3])
        found.setdefault(each[1].lower(), value)
        place = each.end()
        comma = _COMMA.match(text, place)
        if comma is None or _PARAMETER.match(text, comma.end()) is None:
            break
        place = comma.end()
    return found, place


def _after(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place
