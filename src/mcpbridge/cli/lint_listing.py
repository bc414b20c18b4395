"""A file that lists tools: what `mcpbridge tools --json` wrote, a snapshot, or an answer to MCP's `tools/list`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

from mcpbridge.compare.snapshot import is_snapshot
from mcpbridge.errors import ConfigError
from mcpbridge.openapi.jsontext import is_list
from mcpbridge.tools import Json

_HEAD = 4_096


def read_listing(text: str) -> Sequence[Json] | None:
    """The tools of the file as they stand there, None for a target that is no such file.

    Raises: ConfigError for a file that begins as one and is none.
    """
    with suppress(OSError, ValueError):  # a URL, a command, nothing at all: whoever reads targets says so
        path = Path(text)
        with path.open("rb") as file:
            if not is_snapshot(file.read(_HEAD)):
                return None
        return _tools(path.read_bytes(), text)
    return None


def _tools(data: bytes, where: str) -> Sequence[Json]:
    try:
        found: Json = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where!r} begins as a list of tools, but can't be read as JSON: {error}") from error
    while isinstance(found, Mapping):
        members = cast("Mapping[str, Json]", found)
        found = members.get("tools") if "tools" in members else members.get("result")
    if not is_list(found):
        raise ConfigError(f"{where!r} holds no list of tools: write one with mcpbridge tools TARGET --json")
    return found
