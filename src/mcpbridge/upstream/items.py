"""An upstream's items as ours. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import mcp_types

from mcpbridge.tools import Access, Item, Json, Origin, Prompt, Resource, ResourceTemplate, Tool

Listed: TypeAlias = mcp_types.Tool | mcp_types.Resource | mcp_types.ResourceTemplate | mcp_types.Prompt

RESERVED: Final = ("io.modelcontextprotocol/", "mcpbridge/")
"""Prefixes of `_meta` keys that an upstream has no say in: the protocol's, which end at each hop, and our own."""

_EXTRA = ("title", "annotations", "icons", "size")


def item_of(listed: Listed, *, trusted: bool) -> Item:
    """The item that an upstream listed.

    What an upstream says of its tools (`readOnlyHint`) is believed only where it is trusted: a tool is a write else.
    The hints themselves are passed on in `extra`.
    """
    wire = listed.model_dump(by_alias=True, mode="json", exclude_none=True)
    extra = _extra(wire)
    description = listed.description or ""
    if isinstance(listed, mcp_types.Tool):
        return Tool(
            name=listed.name,
            description=description,
            input_schema=listed.input_schema,
            output_schema=listed.output_schema,
            access=_access(listed.annotations, trusted=trusted),
            origin=Origin(name=listed.name, trusted=trusted),
            extra=extra,
        )
    if isinstance(listed, mcp_types.Prompt):
        origin = Origin(name=listed.name, trusted=trusted)
        return Prompt(
            name=listed.name, description=description, arguments=wire.get("arguments", ()), origin=origin, extra=extra
        )
    if isinstance(listed, mcp_types.Resource):
        return Resource(
            uri=str(listed.uri),
            name=listed.name,
            description=description,
            mime_type=listed.mime_type,
            origin=Origin(name=str(listed.uri), trusted=trusted),
            extra=extra,
        )
    return ResourceTemplate(
        uri_template=listed.uri_template,
        name=listed.name,
        description=description,
        mime_type=listed.mime_type,
        origin=Origin(name=listed.uri_template, trusted=trusted),
        extra=extra,
    )


def own_meta(meta: Mapping[str, Json] | None) -> dict[str, Json] | None:
    """Metadata of an upstream without the keys that it has no say in."""
    kept = {name: value for name, value in (meta or {}).items() if not name.startswith(RESERVED)}
    return kept or None


def _access(annotations: mcp_types.ToolAnnotations | None, *, trusted: bool) -> Access:
    return "read" if trusted and annotations is not None and annotations.read_only_hint is True else "write"


def _extra(wire: Mapping[str, Any]) -> dict[str, Json]:
    extra: dict[str, Json] = {name: wire[name] for name in _EXTRA if name in wire}
    meta = own_meta(wire.get("_meta"))
    return {**extra, "_meta": meta} if meta else extra
