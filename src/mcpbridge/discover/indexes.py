"""`Indexes`: an index of what each caller may see, made when it is first needed; those who see the same share it."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from mcpbridge.discover.index import Index
from mcpbridge.source.base import ToolSource
from mcpbridge.tools import Caller

_K = TypeVar("_K")
_V = TypeVar("_V")

KEPT = 60.0
"""Seconds for which an index is used at most: a source may not notice that its listing changed."""

CALLERS = 1024
"""How many callers are remembered."""

LISTINGS = 32
"""How many different listings are kept indexed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    index: Index
    version: str
    until: float


class Indexes:
    """Indexes of one source. One that is out of date never shows more: what it finds is asked for again.

    `clock` gives seconds of the Unix epoch.
    """

    def __init__(self, source: ToolSource, *, clock: Callable[[], float] = time.time) -> None:
        self._source = source
        self._clock = clock
        self._callers: OrderedDict[Caller, _Known] = OrderedDict()
        self._listings: OrderedDict[tuple[int, ...], Index] = OrderedDict()
        self._making = asyncio.Lock()

    async def of(self, caller: Caller) -> Index:
        """The index of what this caller may see. Raises: whatever the source's listing raises."""
        now, version, who = self._clock(), self._source.version(caller), replace(caller, token=None)
        known = self._callers.get(who)
        if known is not None and known.version == version and now < known.until:
            self._callers.move_to_end(who)
            return known.index
        index = await self._indexed(caller)
        edge = self._source.holds_until(caller)
        until = now + KEPT if edge is None else min(edge, now + KEPT)
        _remember(self._callers, who, _Known(index=index, version=version, until=until), CALLERS)
        return index

    async def _indexed(self, caller: Caller) -> Index:
        """An index of the listing; one of the very same tools is used again. Made off the event loop: it takes long."""
        tools = await self._source.list_tools(caller)
        key = tuple(map(id, tools))
        async with self._making:
            index = self._listings.get(key)
            if index is None:
                index = await asyncio.to_thread(Index, tools)
            _remember(self._listings, key, index, LISTINGS)
        return index


def _remember(kept: OrderedDict[_K, _V], key: _K, value: _V, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
