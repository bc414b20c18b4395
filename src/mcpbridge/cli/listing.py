"""A file that lists tools: what `mcpbridge tools --json` wrote, a snapshot, or an answer to MCP's `tools/list`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from mcpbridge.compare.snapshot import is_snapshot

_HEAD = 4_096


def listing_of(text: str) -> bytes | None:
    """The content of a file that begins as a list of tools does, None for every other target."""
    with suppress(OSError, ValueError):  # a URL, a command, nothing at all: whoever reads targets says so
        path = Path(text)
        with path.open("rb") as file:
            head = file.read(_HEAD)
        return path.read_bytes() if is_snapshot(head) else None
    return None
