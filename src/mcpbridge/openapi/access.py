"""Whether an operation reads or writes, and the labels that say so to clients (MCP tool annotations).

A host's word counts most, then the description's `x-mcp`, then the method. A description is written by others: unless
it is trusted, its word may only turn a read into a write, and a label to the careful side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcpbridge.openapi.jsontext import is_object
from mcpbridge.openapi.operation import Hint
from mcpbridge.tools import Access

EXTENSION = "x-mcp"
READS = frozenset({"GET", "HEAD", "OPTIONS", "QUERY", "TRACE"})
"""The methods that are safe (RFC 9110 section 9.2.1; QUERY by its own definition)."""

_IDEMPOTENT = READS | {"PUT", "DELETE"}
_CAREFUL: Mapping[str, bool] = {
    "readOnlyHint": False,
    "destructiveHint": True,
    "idempotentHint": False,
    "openWorldHint": True,
}
"""Each label, and its careful side, which is also what MCP assumes where it is not given."""


def labels(
    method: str, extension: Any, override: Mapping[str, Any] | None, *, trusted: bool
) -> tuple[Access, Mapping[str, Hint]]:
    """Access and labels. `extension` is the operation's `x-mcp`, `override` the host's word; both have MCP's names,
    and `access` (`read`, `write`).
    """
    if extension is None and override is None:
        return _BY_METHOD.get(method) or _by_method(method)
    _, hints = _by_method(method)
    hints = dict(hints)
    if extension and is_object(extension):
        for name, value in _said(extension).items():
            if trusted or value == _CAREFUL[name]:
                hints[name] = Hint(value=value, source="extension")
    for name, value in _said(override or {}).items():
        hints[name] = Hint(value=value, source="host")
    reads = hints["readOnlyHint"]
    if method in READS and not reads.value and hints["idempotentHint"].source == "method":
        hints["idempotentHint"] = Hint(value=False, source=reads.source)  # the method's word was that of a read
    for said, source in ((extension, "extension"), (override, "host")):
        text = said.get("title") if said and is_object(said) else None
        if isinstance(text, str) and text:
            hints["title"] = Hint(value=text, source="host" if source == "host" else "extension")
    return "read" if hints["readOnlyHint"].value else "write", hints


def _said(words: Mapping[str, Any]) -> Mapping[str, bool]:
    """The labels among the words; a write is not read-only, and a read destroys nothing."""
    said = {name: value for name in _CAREFUL if isinstance(value := words.get(name), bool)}
    if words.get("access") in ("read", "write"):
        said["readOnlyHint"] = words["access"] == "read"
    if said.get("readOnlyHint"):
        said.setdefault("destructiveHint", False)
    elif said.get("readOnlyHint") is False:
        said.setdefault("destructiveHint", True)
    return said


def _by_method(method: str) -> tuple[Access, Mapping[str, Hint]]:
    reads = method in READS
    values = {
        "readOnlyHint": reads,
        "destructiveHint": not reads,
        "idempotentHint": method in _IDEMPOTENT,
        "openWorldHint": True,
    }
    return "read" if reads else "write", {name: Hint(value=value, source="method") for name, value in values.items()}


_BY_METHOD = {method: _by_method(method) for method in ("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS")}
