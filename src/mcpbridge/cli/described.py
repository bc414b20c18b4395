"""How commands that only look at something tell what they found."""

from __future__ import annotations

import json
import sys


def print_json(shown: object) -> None:
    """One JSON document on stdout."""
    json.dump(shown, sys.stdout, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.write("\n")


def counted(count: int, what: str) -> str:
    """A number of things, such as `1 error` and `2 errors`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
