"""Tools as they may be given: values of mcpbridge, or JSON as MCP writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard, cast

from mcpbridge.errors import ConfigError
from mcpbridge.openapi.jsontext import is_object
from mcpbridge.tools import Json, Tool

WAY = "give the list of tools: what source.list_tools(caller) gave, or the 'tools' of MCP's tools/list as JSON"
_OWN = {"name", "description", "inputSchema", "outputSchema", "access"}


def read_tools(given: object) -> Sequence[Tool]:
    """The tools of an iterable of `Tool`s, or of JSON objects as MCP writes tools.

    Raises: ConfigError for anything else, with the way out.
    """
    if isinstance(given, Tool | str | bytes) or not _is_iterable(given):
        raise ConfigError(f"tools can't be read from {_kind(given)}: {WAY}")
    if isinstance(given, Mapping):
        inner = " (its 'tools'?)" if "tools" in given else ""
        raise ConfigError(f"tools can't be read from an object{inner}: {WAY}")
    return [_tool(index, each) for index, each in enumerate(given)]


def _tool(index: int, given: object) -> Tool:
    if isinstance(given, Tool):
        if not isinstance(cast("object", given.name), str) or not isinstance(cast("object", given.description), str):
            raise ConfigError(f"tool {index} has a name or a description that is no text")
        return given
    if hasattr(given, "model_dump"):
        raise ConfigError(
            f"tool {index} is {_kind(given)}: give its JSON, tool.model_dump(by_alias=True, exclude_none=True)"
        )
    if not is_object(given):
        raise ConfigError(f"tool {index} is {_kind(given)}, not a Tool: {WAY}")
    return _of_wire(index, given)


def _of_wire(index: int, wire: Mapping[str, Json]) -> Tool:
    name, description = wire.get("name"), wire.get("description")
    if not isinstance(name, str):
        raise ConfigError(f"tool {index} has no name (a text): {WAY}")
    if description is not None and not isinstance(description, str):
        raise ConfigError(f"tool {index} ({name!r}) has a description that is {_kind(description)}, not text")
    return Tool(
        name=name,
        description=description or "",
        input_schema=cast("Mapping[str, Json]", wire.get("inputSchema")),  # whatever it is, a rule says so
        output_schema=wire.get("outputSchema"),
        access="read" if wire.get("access") == "read" else "write",  # a snapshot says it, MCP does not
        extra={key: value for key, value in wire.items() if key not in _OWN},
    )


def _is_iterable(value: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, Iterable)


def _kind(value: object) -> str:
    kind: type = type(value)
    plain: Mapping[type, str] = {type(None): "nothing", str: "text", bytes: "bytes", int: "a number", float: "a number"}
    return plain.get(kind, f"a {kind.__module__.partition('.')[0]}.{kind.__qualname__}").replace("builtins.", "")
