"""Public names under a slug: `slug__tool`, `slug__prompt`, `slug+uri`. Pure.

A slug holds no underscore and no plus sign, so that the first `__` or `+` of a public name always ends it.
"""

from __future__ import annotations

import hashlib
import re

from mcpbridge.errors import ConfigError
from mcpbridge.tools import Kind

NAME_LIMIT = 64
"""The longest tool name that every provider takes; the alphabet is `LEGAL`."""

LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CUT = re.compile(r".*_[0-9a-f]{8}", re.DOTALL)
"""How a cut name ends. A name of its own may look like this too."""

_SLUG = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]")


def check_slug(slug: str) -> str:
    """The slug, when it may stand before public names.

    Raises: ConfigError.
    """
    if len(slug) > 32 or not _SLUG.fullmatch(slug):
        raise ConfigError(
            f"{slug!r} is no slug: use lowercase letters, digits and single hyphens, "
            "begin with a letter, 32 characters at most"
        )
    return slug


def separator(kind: Kind) -> str:
    """What stands between the slug and the inner key."""
    return "__" if kind in {"tool", "prompt"} else "+"


def split(kind: Kind, key: str) -> tuple[str, str] | None:
    """The slug of a public key and the rest, or None where the key has no slug."""
    slug, found, rest = key.partition(separator(kind))
    return (slug, rest) if found else None


def public_key(kind: Kind, slug: str, key: str) -> str:
    """The public key of an inner one.

    A tool's name that would be too long, or hold characters that providers refuse, is cut and gets eight hex digits
    of its SHA-256 at the end; every other key is kept as it is.
    """
    full = f"{slug}{separator(kind)}{key}"
    if kind != "tool" or LEGAL.fullmatch(full):
        return full
    mark = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{_ILLEGAL.sub('_', full)[: NAME_LIMIT - 9]}_{mark}"
