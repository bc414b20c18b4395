"""Whether a `pattern` can be run by the validator that will judge with it (ECMA 262, JSON Schema 2020-12)."""

from __future__ import annotations

import re
from functools import lru_cache

_COUNT = r"(?:\{[0-9]{1,2}(?:,[0-9]{0,2})?\})"
_ESCAPE = r"\\[dDwWsSbBnrtfv./\\+*?()\[\]{}|^$-]"
_CLASS = rf"\[\^?(?:{_ESCAPE.replace('bB', '')}|[^\\\[\]&~-]|(?<=[A-Za-z0-9])-(?=[A-Za-z0-9])|-(?=\]))+\]"
_PLAIN = re.compile(rf"(?:{_ESCAPE}|{_CLASS}|{_COUNT}|\(\?:|[^\\\[\]{{}}(]|\((?!\?))*\Z", re.DOTALL)
"""Patterns of which every engine says the same: no look-around, back-reference, property, or large repeat."""


@lru_cache(maxsize=4096)
def runs(pattern: str) -> bool:
    """Whether the pattern compiles; simple ones are decided here, the rest by the validator's own engine."""
    if len(pattern) < 500 and _PLAIN.match(pattern):
        try:
            re.compile(pattern)
        except re.error:
            pass  # engines differ: the validator's own decides
        else:
            return True
    from jsonschema_rs import Draft202012Validator, ValidationError  # noqa: PLC0415 - the import budget: few descriptions need it

    try:
        Draft202012Validator({"type": "string", "pattern": pattern})
    except (ValidationError, ValueError):
        return False
    return True
