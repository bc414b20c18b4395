"""`to_server`: one source as an MCP server, for stdio, streamable HTTP and in memory, in both protocol eras."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import mcp_types
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.models import InitializationOptions
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity

from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret
from mcpbridge.server.bus import Bus
from mcpbridge.server.connections import Connections, set_level, subscribe, unsubscribe
from mcpbridge.server.edge import Edge
from mcpbridge.server.identity import Identify, IdentifyCaller, principal, token_or_loopback
from mcpbridge.server.listen import Listen
from mcpbridge.server.news import PAUSE, Newsroom
from mcpbridge.source.base import ToolSource

SEALED_FOR = 24 * 3600.0
"""Seconds for which a sealed state can be opened. What it is about expires by itself, earlier."""

_EVERY_CHANGE = NotificationOptions(prompts_changed=True, resources_changed=True, tools_changed=True)


class SourceServer(Server[dict[str, Any]]):
    """The SDK's server over a source. `identified` tells whether the host said who calls."""

    identified: bool = False
    newsroom: Newsroom

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        """What an older client is told when it connects: that it will hear of changes, too."""
        return super().create_initialization_options(
            notification_options or _EVERY_CHANGE, experimental_capabilities, extensions
        )


def to_server(
    source: ToolSource,
    *,
    name: str,
    identify: IdentifyCaller | None = None,
    state_keys: Sequence[Secret | str | bytes] | None = None,
    listing_ttl: float = 0.0,
    bus: Bus | None = None,
    pause: float = PAUSE,
) -> SourceServer:
    """An MCP server that offers what the source offers.

    The host enters the source, once, where it starts (`async with source:`); a server is no owner of it. Tools,
    resources, prompts and completions are always advertised, since what a source has may differ by caller.

    identify    tells who calls; raising refuses the request. None: anyone over stdio and in memory, over HTTP the
                subject of a verified token, or anyone on this machine
    listing_ttl seconds for which clients may keep a listing. Within it a tool that was taken from a caller still shows
                there, but can't be called. What the source knows to change earlier (`holds_until`) shortens it
    bus         tells the servers of all replicas that a listing may have changed. None: each hears its own source
    pause       seconds between two rounds of news for one client; what changes in between is told together
    name        also the audience of sealed state: the same on all replicas
    state_keys  seal what a question leaves with the client, newest first, 32 bytes or more each, the same on all
                replicas. None: a key of this process, so a question asked before a restart is asked again

    Raises: ConfigError for an empty name, keys that cannot seal, or negative seconds.
    """
    if not name:
        raise ConfigError("to_server() needs a name: clients show it")
    if listing_ttl < 0 or pause < 0:
        raise ConfigError("listing_ttl and pause of to_server() are seconds: neither can be negative")
    edge = Edge(source, listing_ttl=listing_ttl)
    newsroom = Newsroom(source, bus=bus, pause=pause)
    server = SourceServer(
        name,
        version=version("mcpbridge"),
        get_tool_input_schema=_no_schema,
        on_list_tools=edge.lists("tool"),
        on_call_tool=edge.call_tool,
        on_list_resources=edge.lists("resource"),
        on_list_resource_templates=edge.lists("template"),
        on_read_resource=edge.read_resource,
        on_list_prompts=edge.lists("prompt"),
        on_get_prompt=edge.get_prompt,
        on_completion=edge.complete,
        on_subscribe_resource=subscribe,
        on_unsubscribe_resource=unsubscribe,
        on_subscriptions_listen=Listen(newsroom),
    )
    server.add_request_handler("logging/setLevel", mcp_types.SetLevelRequestParams, set_level)
    server.identified = identify is not None
    server.newsroom = newsroom
    server.middleware += [Identify(identify or token_or_loopback), Connections(newsroom), _seal(name, state_keys)]
    return server


def _no_schema(_: str) -> Mapping[str, Any] | None:
    """The SDK asks this before it knows the caller, so it learns of no tool; the edge checks the headers itself."""
    return None


def _seal(name: str, state_keys: Sequence[Secret | str | bytes] | None) -> RequestStateBoundary:
    keys = [secrets.token_bytes(32)] if state_keys is None else [_plain(key) for key in state_keys]
    try:
        security = RequestStateSecurity(keys=keys, ttl=SEALED_FOR, bind_principal=principal)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"state_keys can't seal: {error}") from None
    return RequestStateBoundary(security, default_audience=name)


def _plain(key: Secret | str | bytes) -> str | bytes:
    return key.reveal() if isinstance(key, Secret) else key
