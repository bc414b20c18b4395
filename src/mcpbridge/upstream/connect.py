"""`Connector`: makes the client of each connection to one upstream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import httpx2
import mcp_types
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.client.session import IncomingMessage
from mcp.server.lowlevel import Server

from mcpbridge.net.limits import Limits
from mcpbridge.secret import Secret
from mcpbridge.tools import Json
from mcpbridge.upstream.incoming import Report, repaired, watched
from mcpbridge.upstream.link import Link
from mcpbridge.upstream.stdio import Stderr
from mcpbridge.upstream.target import Target, address_of

INFO = mcp_types.Implementation(name="mcpbridge", version="0.1")


class Connector:
    """A checked target, and how to open it. `heard` gets every notification, `report` what was left out of a listing.

    Raises: ConfigError.
    """

    def __init__(
        self,
        target: Target,
        *,
        auth: httpx2.Auth | None,
        headers: Mapping[str, str | Secret] | None,
        limits: Limits,
        mode: str,
        heard: Callable[[Any], None],
        report: Report,
    ) -> None:
        self.stderr = Stderr(limits.stderr)
        self._address = address_of(target, auth=auth, headers=headers, limits=limits, stderr=self.stderr)
        self._mode = mode
        self._heard = heard
        self._report = report

    @property
    def where(self) -> str:
        """The upstream, for messages."""
        return self._address.where

    def client(self, link: Link) -> Client:
        """A client that was not entered yet. The link is told when its other side has gone."""
        opened = self._address.open()
        if not isinstance(opened, Server):
            opened = watched(opened, partial(self._repair, link), link.ended)
        return Client(
            opened,
            mode=self._mode,
            cache=None,
            client_info=INFO,
            message_handler=self._hear,
            elicitation_callback=_refuse,
        )

    async def _hear(self, message: IncomingMessage) -> None:
        self._heard(message)

    def _repair(self, link: Link, result: Mapping[str, Json]) -> Mapping[str, Json]:
        return repaired(result, link.version, self._report) if link.version else result


async def _refuse(context: ClientRequestContext, params: mcp_types.ElicitRequestParams) -> mcp_types.ErrorData:  # noqa: ARG001 - the SDK gives them by name
    """The answer to a server of the older era that asks in the middle of a call; a newer one asks by its result."""
    return mcp_types.ErrorData(
        code=mcp_types.INVALID_REQUEST,
        message="this gateway can't put a question in the middle of a call to its client",
    )
