"""Items and answers as one protocol era writes them."""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar, cast

import mcp_types
from mcp.shared.inbound import x_mcp_header_map
from mcp_types.methods import serialize_server_result
from pydantic import ValidationError

from mcpbridge.server.errors import is_modern
from mcpbridge.tools import Item, Json, Kind, Tool

RESERVED = "io.modelcontextprotocol/"
"""The prefix of `_meta` keys that belong to the protocol's own hop (MCP 2026-07-28, `_meta`)."""

_LISTS: Final[Mapping[Kind, tuple[str, str]]] = {
    "tool": ("tools/list", "tools"),
    "resource": ("resources/list", "resources"),
    "template": ("resources/templates/list", "resourceTemplates"),
    "prompt": ("prompts/list", "prompts"),
}

_R = TypeVar("_R", bound=mcp_types.Result)

logger = logging.getLogger(__name__)


class WirePages:
    """Pages of listings in wire form, kept for the next client that may see exactly the same items.

    A page is found by its items, not by who asked: the source is asked each time, so what it hides stays hidden.
    `mirrored` holds the tools listed so far that want arguments repeated in headers (`x-mcp-header`).
    """

    def __init__(self, *, most: int = 64) -> None:
        self._most = most
        self.mirrored: set[str] = set()
        self._pages: OrderedDict[tuple[Any, ...], tuple[Sequence[Item], list[dict[str, Json]]]] = OrderedDict()

    def render(self, kind: Kind, version: str, items: Sequence[Item]) -> list[dict[str, Json]]:
        """The items as this protocol version writes them; one that is no legal item is left out and logged."""
        key = (kind, version, *(item.key for item in items))
        kept = self._pages.get(key)
        if kept is not None and kept[0] == items:
            self._pages.move_to_end(key)
            return kept[1]
        rendered = _legal(kind, version, items)
        self.mirrored.update(
            item.key for item in items if isinstance(item, Tool) and x_mcp_header_map(item.input_schema)
        )
        self._pages[key] = (items, rendered)
        if len(self._pages) > self._most:
            self._pages.popitem(last=False)
        return rendered


def list_result(
    kind: Kind, rendered: list[dict[str, Json]], cursor: str | None, *, fresh: float = 0.0
) -> dict[str, Json]:
    """The result of a listing, which may be kept for `fresh` seconds, and for nobody else: it is one caller's."""
    result: dict[str, Json] = {
        "resultType": "complete",
        "ttlMs": int(fresh * 1000),
        "cacheScope": "private",
        _LISTS[kind][1]: rendered,
    }
    if cursor is not None:
        result["nextCursor"] = cursor
    return result


def for_client(result: _R, version: str) -> _R:
    """An answer without what belongs to the hop to the upstream, and as this client's era can read it."""
    update: dict[str, Any] = {}
    if result.meta and any(name.startswith(RESERVED) for name in result.meta):
        update["meta"] = {name: value for name, value in result.meta.items() if not name.startswith(RESERVED)} or None
    if isinstance(result, mcp_types.CallToolResult) and not is_modern(version):
        update.update(_objects_only(result))
    if isinstance(result, mcp_types.ReadResourceResult) and result.cache_scope != "private":
        update["cache_scope"] = "private"  # who else may read it is not the upstream's to say
    return result.model_copy(update=update) if update else result


def _objects_only(result: mcp_types.CallToolResult) -> dict[str, Any]:
    """Before 2026-07-28 structured content is an object; a client loses the whole call over another value."""
    value: Json = result.structured_content
    if value is None or isinstance(value, dict):
        return {}
    text = [*result.content] or [mcp_types.TextContent(text=json.dumps(value, ensure_ascii=False))]
    return {"structured_content": None, "content": text}


def _legal(kind: Kind, version: str, items: Sequence[Item]) -> list[dict[str, Json]]:
    wires = [_wire(item, version) for item in items]
    if _is_legal(kind, version, wires):
        return wires
    legal = [_is_legal(kind, version, [wire]) for wire in wires]
    left_out = [item.key for item, good in zip(items, legal, strict=True) if not good]
    logger.warning("left out of the listing of %ss, for they are no legal ones: %s", kind, left_out)
    return [wire for wire, good in zip(wires, legal, strict=True) if good]


def _is_legal(kind: Kind, version: str, wires: list[dict[str, Json]]) -> bool:
    try:
        serialize_server_result(_LISTS[kind][0], version, list_result(kind, wires, None))
    except ValidationError:
        return False
    return True


def _wire(item: Item, version: str) -> dict[str, Json]:
    wire = item.to_wire()
    meta: Json = wire.get("_meta")
    if isinstance(meta, dict):
        kept = cast("dict[str, Json]", meta)
        wire["_meta"] = {name: value for name, value in kept.items() if not name.startswith(RESERVED)}
    if isinstance(item, Tool) and not is_modern(version) and (item.output_schema or {}).get("type") != "object":
        wire.pop("outputSchema", None)
    return wire
