"""`Mount`: one source of a router, whose failures stay its own."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Iterator, Sequence

from mcpbridge.errors import UpstreamError
from mcpbridge.source.base import Listener, ToolSource
from mcpbridge.tools import Caller, Item, Kind, Status
from mcpbridge.wrap.held import Held
from mcpbridge.wrap.prefix import Prefix

logger = logging.getLogger(__name__)

_ages: Iterator[int] = itertools.count(1)


class Mount:
    """A source under a slug, held by a task of its own. What fails shows in `status` alone."""

    def __init__(self, slug: str, source: ToolSource, listener: Listener) -> None:
        self.slug = slug
        self.source = source
        self.prefix = Prefix(source, slug)
        self.held = Held(source, slug)
        self.unwatch = self.prefix.watch(listener)
        self._age = next(_ages)
        self._faults: dict[Kind, str] = {}

    @property
    def usable(self) -> bool:
        """Whether the source could be entered."""
        return self.held.error is None

    def renew(self) -> None:
        """Makes it ready to be entered again."""
        self.held = Held(self.source, self.slug)

    async def list(self, kind: Kind, caller: Caller, deadline: float) -> Sequence[Item]:
        """The source's listing, or an empty one where it raises or takes longer than `deadline` seconds."""
        try:
            async with asyncio.timeout(deadline):
                await self.held.ready()
                items = await self.prefix.list(kind, caller) if self.usable else ()
        except Exception as error:  # whatever one source raises must not take the listing of the others
            if isinstance(error, UpstreamError):
                logger.warning("source %r is left out of the listing of %ss: %s", self.slug, kind, error)
            else:
                logger.exception("source %r is left out of the listing of %ss", self.slug, kind)
            self._faults[kind] = type(error).__name__
            self._age = next(_ages)
            return ()
        self._faults.pop(kind, None)
        return items

    async def status(self, caller: Caller | None, deadline: float) -> Status:
        """The source's status, or what it failed at; one that takes longer than `deadline` seconds failed too."""
        if self.held.entering:
            return Status(state="connecting", code="starting", message="is being started")
        if self.held.error is not None:
            reason = type(self.held.error).__name__
            return Status(state="failed", code="start_failed", message=f"could not be started or stopped ({reason})")
        try:
            async with asyncio.timeout(deadline):
                status = await self.prefix.status(caller)
        except Exception as error:  # as in a listing: its failure is its own
            logger.exception("source %r gave no status", self.slug)
            return Status(state="failed", code="status_failed", message=f"gave no status ({type(error).__name__})")
        if self._faults and status.state == "connected":
            kinds = ", ".join(f"{kind}s ({fault})" for kind, fault in self._faults.items())
            return Status(state="failed", code="listing_failed", message=f"could not list its {kinds}")
        return status

    def version(self, caller: Caller) -> str:
        """The source's version, and how often its listing changed for a reason of ours.

        While it is left out every version is a new one, so that nobody keeps a listing without it.
        """
        if self._faults:
            return f"{next(_ages)}"
        try:
            return f"{self._age}.{self.prefix.version(caller)}"
        except Exception:  # as in a listing: its failure is its own
            logger.exception("source %r gave no version", self.slug)
            return f"{next(_ages)}"

    def holds_until(self, caller: Caller) -> float | None:
        """When the source's listings change by themselves; now, where it fails to tell."""
        try:
            return self.prefix.holds_until(caller)
        except Exception:  # as in a listing: its failure is its own
            logger.exception("source %r did not tell until when its listing holds", self.slug)
            return 0.0
