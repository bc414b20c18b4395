"""`open_gateway`: sources as a client meets them, in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mcp import Client

from mcpbridge.build import guarded
from mcpbridge.policy import Policy, reads_run_writes_ask
from mcpbridge.router import Router
from mcpbridge.server.lowlevel import to_server
from mcpbridge.source.base import ToolSource
from mcpbridge.testing.records import Made, record_calls
from mcpbridge.tools import Caller, Item, Tool
from mcpbridge.wrap.approval import Approver
from mcpbridge.wrap.approve import ask_client


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenGateway:
    """A gateway that is open.

    client   a client of the MCP SDK that is connected to it
    source   the same gateway without MCP: `list_tools`, `get_tool`, `call_tool`
    made     the calls that reached the sources, with their answers
    """

    client: Client
    source: ToolSource
    made: Sequence[Made]


@asynccontextmanager
async def open_gateway(
    source: ToolSource | Mapping[str, ToolSource],
    *,
    keep: Callable[[Tool, Caller], bool] | None = None,
    keep_other: Callable[[Item, Caller], bool] | None = None,
    policy: Policy = reads_run_writes_ask,
    approver: Approver = ask_client,
    era: str = "auto",
    **client: Any,
) -> AsyncGenerator[OpenGateway, None]:
    """A gateway of one source, or of several by slug, guarded as one that is served, with a client in memory.

    `approver` is who is asked where the policy asks: `approve_all` and `deny_all` decide by themselves. The default
    asks the client, as in production; a client without an elicitation callback gets `approval_required`. `era` is the
    client's protocol mode (`auto`, `legacy`, `2026-07-28`); further options go to `mcp.Client`.

    Raises: ConfigError for a slug that is none.
    """
    recorded = record_calls(source if isinstance(source, ToolSource) else Router(source))
    offered = guarded(recorded, keep=keep, keep_other=keep_other, policy=policy, approver=approver)
    async with offered, Client(to_server(offered, name="test"), mode=era, **client) as connected:
        yield OpenGateway(client=connected, source=offered, made=recorded.made)
