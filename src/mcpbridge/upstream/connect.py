"""`Connector`: makes the client of each connection to one upstream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import mcp_types
from mcp import Client
from mcp.client.session import IncomingMessage
from mcp.server.lowlevel import Server

from mcpbridge.errors import Failure
from mcpbridge.net.limits import Limits
from mcpbridge.tools import Ability, Json, Kind
from mcpbridge.upstream.failures import of_connecting
from mcpbridge.upstream.http import Peer
from mcpbridge.upstream.incoming import repaired, shortened, watched
from mcpbridge.upstream.target import Address
from mcpbridge.upstream.underway import UnderWay

INFO = mcp_types.Implementation(name="mcpbridge", version="0.1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ears:
    """Who is told what a connection says by itself: notifications, and which items of a listing were left out.

    `wary` says whether listings are looked through for illegal items, which costs as much as reading them.
    """

    heard: Callable[[Any], None] = lambda _: None
    left_out: Callable[[Kind, Sequence[str]], None] = lambda _, __: None
    wary: Callable[[], bool] = lambda: False


@dataclass(kw_only=True, slots=True)
class Line:
    """One connection as its client knows it. `ended` is called when nothing will come any more; `version` is settled
    when it is open.
    """

    peer: Peer
    ended: Callable[[], None]
    version: str = ""
    ears: Ears = field(default_factory=Ears)


@dataclass(frozen=True, kw_only=True, slots=True)
class Connector:
    """A checked target, and how a session is opened there: with which era, and what we can be asked for."""

    address: Address
    mode: str
    limits: Limits

    def client(self, line: Line, under_way: UnderWay, abilities: frozenset[Ability]) -> Client:
        """A client that was not entered yet."""
        opened = self.address.open(line.peer)
        if not isinstance(opened, Server):
            opened = watched(opened, partial(_repair, line, self.limits.operations), line.ended)

        async def hear(message: IncomingMessage) -> None:
            line.ears.heard(message)

        return Client(
            opened,
            mode="legacy" if self.address.legacy() else self.mode,
            cache=None,
            client_info=INFO,
            message_handler=hear,
            logging_callback=under_way.logged,
            elicitation_callback=under_way.elicit if abilities & {"form", "url"} else None,
            sampling_callback=under_way.sample if "sampling" in abilities else None,
            list_roots_callback=under_way.roots if "roots" in abilities else None,
        )

    def failure(self, error: BaseException) -> Failure:
        """What an exception while connecting means."""
        return of_connecting(error, self.address.where, self.limits, noise=self.address.written.noise)


def _repair(line: Line, most: int, result: Mapping[str, Json]) -> Mapping[str, Json]:
    """One item more than may be is left, so that whoever reads it sees that there are more."""
    result = shortened(result, most + 1)
    return repaired(result, line.version, line.ears.left_out) if line.version and line.ears.wary() else result
