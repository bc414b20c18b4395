"""`--select`: which tools of a target are meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from mcpbridge.errors import ConfigError
from mcpbridge.openapi.operation import Operation
from mcpbridge.tools import Tool

KEYS = ("name", "access", "method", "path", "tag")
_OF_TOOLS = ("name", "access")


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Patterns by key, in which `*` and `?` are wild. A tool fits where one pattern of every key fits."""

    patterns: Mapping[str, Sequence[str]]

    def tool(self, tool: Tool) -> bool:
        """Whether a tool fits, by its name and access."""
        return self._fits({"name": [tool.name], "access": [tool.access]})

    def operation(self, operation: Operation) -> bool:
        """Whether an operation fits, by all keys."""
        return self._fits(
            {
                "name": [operation.name],
                "access": [operation.access],
                "method": [operation.method.upper()],
                "path": [operation.path],
                "tag": operation.tags,
            }
        )

    def _fits(self, facts: Mapping[str, Sequence[str]]) -> bool:
        return all(
            any(fnmatchcase(fact, pattern) for fact in facts[key] for pattern in patterns)
            for key, patterns in self.patterns.items()
        )


def read_selection(texts: Sequence[str], *, described: bool) -> Selection:
    """The selection that `KEY:PATTERN` texts mean; a text without a key is a name.

    Raises: ConfigError for a key that there is not, or that a target without a description does not have.
    """
    patterns: dict[str, list[str]] = {}
    for text in texts:
        key, colon, pattern = text.partition(":")
        if not colon:
            key, pattern = "name", text
        if key not in KEYS:
            raise ConfigError(f"--select {text!r}: there is no key {key!r}; use one of {', '.join(KEYS)}")
        if not described and key not in _OF_TOOLS:
            raise ConfigError(f"--select {text!r}: an MCP server's tools have no {key}; use name: or access:")
        patterns.setdefault(key, []).append(pattern.upper() if key == "method" else pattern)
    return Selection(patterns=patterns)


def closest(name: str, names: Sequence[str]) -> str:
    """`; did you mean 'a' or 'b'?` with the names most like this one, empty where none is."""
    found = (
        get_close_matches(name, names, n=3, cutoff=0.5)
        or [other for other in names if name.lower() in other.lower()][:3]
    )
    return f"; did you mean {' or '.join(map(repr, found))}?" if found else ""
