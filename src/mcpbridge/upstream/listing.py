"""What an upstream listed, kept so that a call costs no listing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import mcp_types
from mcp import Client
from mcp.shared.uri_template import InvalidUriTemplate, UriTemplate

from mcpbridge.tools import Item, Kind, Resource, ResourceTemplate
from mcpbridge.upstream.items import Listed, item_of

FRESH = 5.0
"""Seconds for which a listing is good without asking again; a notification of the upstream's ends them early."""

PAGES = 1_000
"""Pages that are read of one listing."""

Walk = Callable[[Client, str | None], Awaitable[tuple[Sequence[Listed], str | None]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """The items of one kind, `at` a second of the event loop's clock. `cut` tells why some may be missing."""

    items: Sequence[Item] = ()
    at: float = 0.0
    cut: str = ""
    by_key: Mapping[str, Item] = field(default_factory=dict[str, Item])

    def find(self, key: str) -> Item | None:
        """The item with this key."""
        return self.by_key.get(key)

    def covering(self, uri: str) -> Resource | None:
        """The resource that one of the templates here covers."""
        for item in self.items:
            if isinstance(item, ResourceTemplate) and _covers(item.uri_template, uri):
                return Resource(
                    uri=uri,
                    name=item.name,
                    description=item.description,
                    mime_type=item.mime_type,
                    origin=item.origin,
                )
        return None


async def read_listing(client: Client, kind: Kind, *, trusted: bool, most: int, now: float) -> Listing:
    """All pages of a listing, at most `most` items; a page that was there already ends it.

    Raises: what the client raises.
    """
    if not _offers(client.server_capabilities, kind):
        return Listing(at=now)
    found: dict[str, Item] = {}
    cursor: str | None = None
    seen: set[str] = set()
    cut = ""
    for _ in range(PAGES):
        listed, cursor = await _WALKS[kind](client, cursor)
        for each in listed:
            item = item_of(each, trusted=trusted)
            found.setdefault(item.key, item)
        if cursor is None:
            break
        if cursor in seen or len(found) >= most:
            cut = "its pages repeat" if cursor in seen else _only(most)
            break
        seen.add(cursor)
    if len(found) > most:
        cut = _only(most)
    items = tuple(found.values())[:most]
    return Listing(items=items, at=now, cut=cut, by_key={item.key: item for item in items})


def _only(most: int) -> str:
    return f"only the first {most} are read"


def _offers(capabilities: mcp_types.ServerCapabilities, kind: Kind) -> bool:
    if kind == "tool":
        return capabilities.tools is not None
    return (capabilities.prompts if kind == "prompt" else capabilities.resources) is not None


async def _tools(client: Client, cursor: str | None) -> tuple[Sequence[Listed], str | None]:
    page = await client.list_tools(cursor=cursor)
    return page.tools, page.next_cursor


async def _resources(client: Client, cursor: str | None) -> tuple[Sequence[Listed], str | None]:
    page = await client.list_resources(cursor=cursor)
    return page.resources, page.next_cursor


async def _templates(client: Client, cursor: str | None) -> tuple[Sequence[Listed], str | None]:
    page = await client.list_resource_templates(cursor=cursor)
    return page.resource_templates, page.next_cursor


async def _prompts(client: Client, cursor: str | None) -> tuple[Sequence[Listed], str | None]:
    page = await client.list_prompts(cursor=cursor)
    return page.prompts, page.next_cursor


_WALKS: Final[Mapping[Kind, Walk]] = {
    "tool": _tools,
    "resource": _resources,
    "template": _templates,
    "prompt": _prompts,
}


def _covers(template: str, uri: str) -> bool:
    try:
        return UriTemplate.parse(template).match(uri) is not None
    except InvalidUriTemplate:
        return False


def changed_kinds(notification: Any) -> Sequence[Kind]:
    """The kinds whose listing a notification says has changed."""
    if isinstance(notification, mcp_types.ToolListChangedNotification):
        return ("tool",)
    if isinstance(notification, mcp_types.ResourceListChangedNotification):
        return ("resource", "template")
    return ("prompt",) if isinstance(notification, mcp_types.PromptListChangedNotification) else ()
