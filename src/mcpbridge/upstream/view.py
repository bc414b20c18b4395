"""`View`: an upstream as one caller sees it: a session there, what it lists, and the news that it hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import mcp_types
from mcp import Client
from pydantic import ValidationError

from mcpbridge.errors import Failure
from mcpbridge.tools import Ability, Caller, Kind, Status
from mcpbridge.upstream.backoff import Backoff
from mcpbridge.upstream.connect import Connector, Ears
from mcpbridge.upstream.hearing import Hearing
from mcpbridge.upstream.link import Link
from mcpbridge.upstream.listing import Listing, changed_kinds, read_listing
from mcpbridge.upstream.listings import Listings
from mcpbridge.upstream.session import Session


class View:
    """A session with its listings. `news` is told of a kind when its listing may have changed."""

    def __init__(
        self,
        connector: Connector,
        *,
        caller: Caller,
        abilities: frozenset[Ability],
        backoff: Backoff,
        trusted: bool,
        news: Callable[[Kind], None],
    ) -> None:
        where = connector.address.where
        self._limits = connector.limits
        self._trusted = trusted
        self._news = news
        self._was_open = False
        self.listings = Listings(self._read, where, news)
        self._wary = False
        ears = Ears(heard=self._heard, left_out=self.listings.left_out, wary=lambda: self._wary)
        self.session = Session(
            connector, caller=caller, abilities=abilities, ears=ears, backoff=backoff, opened=self._opened
        )
        self.hearing = Hearing(self.session, self._missed)

    def status(self) -> Status:
        """The session's status, with what is missing in its listings."""
        status = self.session.status()
        notes = self.listings.notes()
        if status.state != "connected" or not notes:
            return status
        return Status(state="connected", code="incomplete", message="; ".join(notes), since=status.since)

    @property
    def busy(self) -> bool:
        """Whether a call is under way, or somebody watches a resource."""
        return self.session.calls > 0 or self.hearing.watches

    def close(self) -> set[asyncio.Task[None]]:
        """Ends the session; gives the tasks that are still leaving."""
        self.hearing.close()
        return self.session.close()

    async def _read(self, kind: Kind, caller: Caller) -> Listing | Failure:
        now = asyncio.get_running_loop().time()

        async def read(client: Client) -> Listing:
            return await read_listing(client, kind, trusted=self._trusted, most=self._limits.operations, now=now)

        async def read_or_repair(client: Client) -> Listing:
            try:
                return await read(client)
            except ValidationError:  # what is illegal is found by reading again, and from then on at once
                self._wary = True
                return await read(client)

        return await self.session.use(read_or_repair, caller=caller)

    def _opened(self, link: Link, client: Client) -> None:
        self.hearing.opened(link, client)
        if self._was_open:
            self._missed()  # a server that was restarted may offer something else
        self._was_open = True

    def _heard(self, message: Any) -> None:
        if isinstance(message, mcp_types.ResourceUpdatedNotification):
            self.hearing.heard(str(message.params.uri))
        for kind in changed_kinds(message):
            self._news(kind)

    def _missed(self) -> None:
        for kind in self.listings.kinds():
            self._news(kind)
