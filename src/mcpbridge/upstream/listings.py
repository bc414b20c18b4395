"""`Listings`: what one session sees of an upstream, read when it is asked for and kept for a while."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from mcpbridge.errors import Failure, UpstreamError
from mcpbridge.tools import Caller, Item, Kind
from mcpbridge.upstream.listing import FRESH, Listing

Read: TypeAlias = Callable[[Kind, Caller], Awaitable[Listing | Failure]]

_revisions: Final[Iterator[int]] = itertools.count(1)

logger = logging.getLogger(__name__)


class Listings:
    """The listings of every kind. `read` reads one from the upstream; `changed` is told when one is not as it was."""

    def __init__(self, read: Read, where: str, changed: Callable[[Kind], None]) -> None:
        self._read = read
        self._where = where
        self._changed = changed
        self._known: dict[Kind, Listing] = {}
        self._reading: dict[Kind, asyncio.Lock] = {}
        self._ill: dict[Kind, Sequence[str]] = {}
        self.revision = next(_revisions)

    async def listing(self, kind: Kind, caller: Caller, *, within: float | None = FRESH) -> Listing:
        """What is known, or what is read now where that is older than `within` seconds.

        Raises: UpstreamError where nothing is known and nothing can be read.
        """
        known = self._known.get(kind)
        if known is not None and not _is_old(known, within):
            return known
        async with self._reading.setdefault(kind, asyncio.Lock()):
            known = self._known.get(kind)
            if known is not None and not _is_old(known, within):
                return known
            self._ill[kind] = ()
            return self._kept(kind, known, await self._read(kind, caller))

    async def find(self, kind: Kind, key: str, caller: Caller) -> Item | None:
        """The item, also where it is so new that only another reading shows it."""
        listing = await self.listing(kind, caller, within=None)
        if (found := listing.find(key)) is None and _is_old(listing, FRESH):
            found = (await self.listing(kind, caller)).find(key)
        if found is None and kind == "resource":
            return (await self.listing("template", caller)).covering(key)
        return found

    def stale(self, kind: Kind) -> None:
        """What is known is not so any more."""
        self.revision = next(_revisions)
        if (known := self._known.get(kind)) is not None:
            self._known[kind] = replace(known, at=float("-inf"))

    def kinds(self) -> Sequence[Kind]:
        """The kinds of which something is known."""
        return tuple(self._known)

    def left_out(self, kind: Kind, names: Sequence[str]) -> None:
        """Takes note of illegal items."""
        self._ill[kind] = (*self._ill.get(kind, ()), *names)
        logger.warning("%s lists %ss that are no legal ones, left out: %s", self._where, kind, names)

    def notes(self) -> Sequence[str]:
        """What is missing in the listings."""
        illegal = [f"left out illegal {kind}s: {', '.join(names)}" for kind, names in self._ill.items() if names]
        cut = [f"the listing of {kind}s is not whole: {each.cut}" for kind, each in self._known.items() if each.cut]
        return illegal + cut

    def _kept(self, kind: Kind, known: Listing | None, read: Listing | Failure) -> Listing:
        if isinstance(read, Failure):
            if known is None:
                raise UpstreamError(read)
            return known
        self._known[kind] = read
        if known is None or known.items != read.items:
            self.revision = next(_revisions)
            if known is not None:
                self._changed(kind)
        return read


def _is_old(listing: Listing, within: float | None) -> bool:
    return within is not None and asyncio.get_running_loop().time() - listing.at >= within
