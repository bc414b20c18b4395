"""How many tokens a model reads for a text: an estimate without a tokenizer.

Tokenizers of today keep a short word, up to three digits, and a run of punctuation as one token each; longer words
are split. So are they counted here: pieces of nine letters. `docs/lint.md` tells the error against real tokenizers.
Providers write a tool in their own form for the model, so that no count of JSON is exact for them.
"""

from __future__ import annotations

import json
import re

from mcpbridge.tools import Json

_PIECE = re.compile(r"[A-Z]?[a-z]{1,9}|[A-Z]{1,8}|[0-9]{1,3}|[!-/:-@\[-`{-~]+|[^\x00-\x7f]")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


def tokens_of(text: str) -> int:
    """The tokens of a text, estimated."""
    return len(_PIECE.findall(text))


def tokens_of_json(value: Json) -> int:
    """The tokens of a value as compact JSON, estimated; 0 for what can't be written as JSON."""
    try:
        return tokens_of(_encode(value))
    except (TypeError, ValueError, RecursionError):
        return 0
