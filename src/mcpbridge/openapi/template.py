"""Path templates (OpenAPI 3.1 section 4.8.8.2), and the rule that a value never changes a path's structure.

A template may hold a query (`/things?fixed=1`), which goes out with every call, and a fragment, which never does.
`{+name}` is RFC 6570's reserved expansion: its value may hold slashes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize
from urllib.parse import quote, unquote

from mcpbridge.openapi.plaintext import Unfit

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_SAFE = "%/:@!$&'()*+,;=~[]|"
_SEPARATOR = re.compile(r"[/\\]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A parsed template: texts and variable names in turn, beginning and ending with a text.

    `path` and `query` are such sequences; `reserved` are the names that may expand to reserved characters. `dotted`
    tells that the path has a dot segment of its own.
    """

    path: tuple[str, ...]
    query: tuple[str, ...]
    reserved: frozenset[str]
    dotted: bool = False


@lru_cache(maxsize=4096)
def parse_template(text: str) -> Template:
    """The template of a description's path key."""
    path, _, query = text.partition("#")[0].partition("?")
    names = _VARIABLE.findall(path)
    return Template(
        path=_split(path if path.startswith("/") else f"/{path}", _SAFE),
        query=_split(query, _SAFE + "?"),
        reserved=frozenset(name.lstrip("+") for name in names if name.startswith("+")),
        dotted=is_dotted(path),
    )


def expand(parts: tuple[str, ...], values: Mapping[str, str]) -> str:
    """A template's parts with already encoded values put in. Raises: KeyError with a name that has no value."""
    if len(parts) == 1:
        return parts[0]
    return "".join(values[part] if index % 2 else part for index, part in enumerate(parts))


def check_path(template: Template, path: str) -> None:
    """Refuses an expanded path with a dot segment, as any server may read one: encoded once more, before `;`, beside
    a backslash (RFC 3986 section 3.3), in wide letters, or with a NUL that ends the text for a server written in C.

    Raises: Unfit.
    """
    if template.dotted:
        raise Unfit("an operation whose path has no dot segment ('.' or '..')", "one that leaves the base URL")
    if len(template.path) == 1:
        return
    plain = _decoded(path)
    if "\0" in plain:
        raise Unfit("a value without NUL", "one with it")
    if _has_dot_segment(plain):
        raise Unfit("a value that makes no dot segment ('.' or '..') of the path", "one that does")


def is_dotted(path: str) -> bool:
    """Whether a template has a dot segment of its own, whatever its values."""
    plain = path.isascii() and "." not in path and "%" not in path
    return not plain and _has_dot_segment(_decoded(_VARIABLE.sub("x", path.partition("?")[0].partition("#")[0])))


def _has_dot_segment(plain: str) -> bool:
    if not plain.isascii():
        plain = normalize("NFKC", plain)
    return "." in plain and any(segment.partition(";")[0].strip() in {".", ".."} for segment in _SEPARATOR.split(plain))


def _decoded(path: str) -> str:
    """The path after as many rounds of decoding as it takes, three at most: proxies decode once, servers again."""
    for _ in range(3):
        path, before = unquote(path), path
        if path == before:
            break
    return path


def _split(text: str, safe: str) -> tuple[str, ...]:
    parts = _VARIABLE.split(text)
    return tuple(
        _name(part) if index % 2 else quote(part, safe=safe, errors="replace") for index, part in enumerate(parts)
    )


def _name(variable: str) -> str:
    return variable.removeprefix("+").rstrip("*")
