"""Tools as a JSON text that is kept beside tests, and read again: `snapshot_text` and `read_tools`. Pure.

A snapshot holds each tool as MCP writes it, with its `access`, sorted by name::

    {"mcpbridge": "tools", "version": 1, "tools": [{"name": …, "access": "read", "inputSchema": {…}}]}

No origin and no fixed argument is written: they are the host's business, and may be secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from mcpbridge.errors import ConfigError
from mcpbridge.openapi.jsontext import is_list
from mcpbridge.tools import Access, Json, Tool

VERSION: Final = 1
MARK: Final = "tools"

_OWN = frozenset({"name", "description", "inputSchema", "outputSchema", "access"})
_FORMS = (
    'a snapshot ({"mcpbridge": "tools", …}), a list of tools as MCP writes them, or an answer to tools/list is expected'
)


def snapshot_text(tools: Iterable[Tool]) -> str:
    """The snapshot of these tools, that ends with a line break; the same tools give the same text."""
    shown = [{"name": tool.name, "access": tool.access, **tool.to_wire()} for tool in tools]
    whole = {"mcpbridge": MARK, "version": VERSION, "tools": sorted(shown, key=lambda tool: str(tool["name"]))}
    return json.dumps(whole, indent=2, ensure_ascii=False, default=_plain) + "\n"


def read_tools(data: str | bytes | Json, *, where: str = "the tool list") -> Sequence[Tool]:
    """The tools of a snapshot, of a list of tools as MCP writes them, or of an answer to `tools/list`.

    `data` is the JSON text or what it says (a `Tool` in a list stays as it is); `where` names it in errors. A tool
    without `access` reads where its `readOnlyHint` says so, and writes else.

    Raises: ConfigError that says what it is instead, and the way out.
    """
    tools = [_tool(each, index, where) for index, each in enumerate(listed(data, where=where))]
    names = [tool.name for tool in tools]
    if len({*names}) != len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"{where} holds two tools called {double!r}: names have to be unique")
    return tools


def listed(data: str | bytes | Json, *, where: str = "the tool list") -> Sequence[Json]:
    """The entries of the same forms as they stand there, whatever they are. Raises: ConfigError."""
    return _listed(_parsed(data, where), where)


def is_snapshot(data: bytes) -> bool:
    """Whether a JSON text begins as a snapshot or a list of tools does, as far as its first bytes tell."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"[") or (head.startswith(b"{") and (b'"mcpbridge"' in head or _is_list_answer(head)))


def _is_list_answer(head: bytes) -> bool:
    return b'"tools"' in head and b'"openapi"' not in head and b'"swagger"' not in head and b'"paths"' not in head


def _parsed(data: str | bytes | Json, where: str) -> Json:
    if not isinstance(data, str | bytes):
        return data
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ConfigError(f"{where} is nested too deeply to be read") from error
    except ValueError as error:
        merged = "<<<<<<<" in (data if isinstance(data, str) else data.decode("utf-8", "replace"))
        hint = "it holds the marks of a merge" if merged else f"it can't be read: {error}"
        raise ConfigError(
            f"{where} is no JSON, {hint}. Restore it, or write it anew with pytest --mcpbridge-update"
        ) from error


def _listed(value: Json, where: str) -> Sequence[Json]:
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        return [*cast("Iterable[object]", value)]
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where} is a {type(value).__name__}, no list of tools: {_FORMS}")
    whole = cast("Mapping[str, Json]", value)
    if "mcpbridge" in whole:
        _check_version(whole, where)
    elif isinstance(whole.get("result"), Mapping):
        whole = cast("Mapping[str, Json]", whole["result"])
    tools = whole.get("tools")
    if is_list(tools):
        return tools
    if "tools" in whole:
        raise ConfigError(f"{where} has 'tools' that are a {type(tools).__name__}, no list: {_FORMS}")
    kind = "an API description" if "openapi" in whole or "swagger" in whole else "no list of tools"
    raise ConfigError(f"{where} is {kind}: {_FORMS}")


def _check_version(whole: Mapping[str, Json], where: str) -> None:
    if whole["mcpbridge"] != MARK:
        raise ConfigError(f"{where} is a file of mcpbridge, but no snapshot of tools: {_FORMS}")
    version = whole.get("version")
    if version is not True and version == VERSION:
        return
    newer = isinstance(version, int) and version > VERSION
    way = (
        "update mcpbridge, which a newer one has written it"
        if newer
        else "write it anew with pytest --mcpbridge-update, and look at what changed"
    )
    raise ConfigError(f"{where} is a snapshot of version {version!r}, and this mcpbridge reads {VERSION}: {way}")


def _tool(value: Json, index: int, where: str) -> Tool:
    if isinstance(value, Tool):
        return value
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where} holds a {type(value).__name__} at tools[{index}] where a tool is expected")
    raw = cast("Mapping[str, Json]", value)
    name = raw.get("name")
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{where}: the tool at tools[{index}] has no name")
    schemas = {key: raw.get(key) for key in ("inputSchema", "outputSchema") if raw.get(key) is not None}
    for key, schema in schemas.items():
        if not isinstance(schema, Mapping):
            raise ConfigError(f"{where}: {key} of {name!r} is a {type(schema).__name__}, no JSON Schema object")
    description = raw.get("description") or ""
    return Tool(
        name=name,
        description=description if isinstance(description, str) else str(description),
        input_schema=cast("Mapping[str, Json]", schemas.get("inputSchema", {"type": "object"})),
        output_schema=cast("Mapping[str, Json] | None", schemas.get("outputSchema")),
        access=_access(raw, name, where),
        extra={key: each for key, each in raw.items() if key not in _OWN},
    )


def _access(raw: Mapping[str, Json], name: str, where: str) -> Access:
    match raw.get("access"):
        case "read":
            return "read"
        case "write":
            return "write"
        case None:
            hints = raw.get("annotations")
            reads = isinstance(hints, Mapping) and cast("Mapping[str, Json]", hints).get("readOnlyHint") is True
            return "read" if reads else "write"
        case other:
            raise ConfigError(f"{where}: access of {name!r} is {other!r}, and has to be 'read' or 'write'")


def _plain(value: object) -> Json:
    """A mapping that is no dict as JSON."""
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Json]", value))
    raise ConfigError(f"a tool holds a {type(value).__name__}, which is no JSON")
