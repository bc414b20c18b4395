"""`ApprovalStore`: where requests for approval are kept, and what everybody may do with them."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import replace
from typing import ClassVar

from mcpbridge.tools import Caller
from mcpbridge.wrap.approval import ApprovalRequest, ApprovalState, Binding, Decided
from mcpbridge.wrap.approval_rules import check_decider, name_of

KEPT = 86_400.0
"""Seconds that a request is remembered after it expired, so that a late answer is told so and a used one stays used."""


class ApprovalStore(ABC):
    """Requests by id. `swap` is the one way in which a request changes, so that of two that try the same step one comes
    through.

    `clock` gives seconds of the Unix epoch; times of requests are by it. `shared` says whether other processes see the
    requests too.

    What is given for an id is as it stands now: an approval that was not used in time is `expired`, whoever looks.
    Methods raise ApprovalsUnavailable where the place itself fails.
    """

    shared: ClassVar[bool] = False

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._news = asyncio.Event()

    @abstractmethod
    async def add(self, request: ApprovalRequest, lifetime: float) -> ApprovalRequest:
        """Keeps a new request, and gives it with its times; it expires after `lifetime` seconds."""

    @abstractmethod
    async def get(self, id: str) -> ApprovalRequest | None:
        """The request."""

    @abstractmethod
    async def find(self, binding: Binding) -> ApprovalRequest | None:
        """The queued request for exactly this call, where it is not used up; a no holds until it expires."""

    @abstractmethod
    async def in_doubt(self, binding: Binding) -> bool:
        """Whether exactly this call was let through before, and nobody has said how that ended."""

    @abstractmethod
    async def swap(self, old: ApprovalRequest, new: ApprovalRequest) -> ApprovalRequest | None:
        """Puts `new` in the place of `old`, and gives it as it is kept; None where it has changed since it was read."""

    @abstractmethod
    async def waiting(self, tenant: str | None = None) -> Sequence[ApprovalRequest]:
        """The requests that nobody has decided, oldest first; of one tenant, or of all."""

    async def decide(self, id: str, *, approved: bool, by: str | Caller = "", reason: str = "") -> Decided | None:
        """Says yes or no to a request; the first decision stands, and `Decided` tells whose it was.

        `by` is a name that the host vouches for, or a caller, who finds only requests of the own tenant. None for an
        unknown id.

        Raises: DecisionRefused where who asked is barred from saying yes.
        """
        state: ApprovalState = "approved" if approved else "denied"
        while True:
            old = await self._known(id, by)
            if old is None:
                return None
            if old.state != "pending":
                return Decided(request=old, won=False)
            check_decider(old, by, approved=approved)
            new = replace(old, state=state, by=name_of(by), reason=reason, decided=self.clock())
            if kept := await self.swap(old, new):
                return Decided(request=kept, won=True)

    async def resolve(self, id: str, *, ran: bool, by: str | Caller, reason: str = "") -> Decided | None:
        """Settles a request whose outcome is `unknown`, by somebody who has looked.

        Where the call ran, it is `done`. Where it did not, that is a yes anew, for as long as the request lives.

        Raises: DecisionRefused where who asked is barred, and says that it did not run.
        """
        old = await self._known(id, by)
        if old is None:
            return None
        if old.state != "unknown":
            return Decided(request=old, won=False)
        check_decider(old, by, approved=not ran)
        state: ApprovalState = "done" if ran else "approved"
        new = replace(old, state=state, queued=not ran, nonce=None, by=name_of(by), reason=reason)
        kept = await self.swap(old, new)
        now = kept or await self._known(id, by)
        return None if now is None else Decided(request=now, won=kept is not None)

    async def wait(self, id: str, seconds: float | None = None) -> ApprovalRequest | None:
        """The request as soon as it is decided or expires, on whichever replica; else as it stands after `seconds`.

        None for an unknown id.
        """
        async with self._listening():
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    return await self._decided(id)
        return await self.get(id)

    async def _decided(self, id: str) -> ApprovalRequest | None:
        while True:
            news = self._news
            request = await self.get(id)
            if request is None or request.state != "pending":
                return request
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, request.expires - self.clock())):
                    await news.wait()

    async def _known(self, id: str, by: str | Caller) -> ApprovalRequest | None:
        request = await self.get(id)
        if request is None or (isinstance(by, Caller) and by.tenant != request.caller[0]):
            return None
        return request

    def _listening(self) -> AbstractAsyncContextManager[None]:
        """Hears of changes that were made elsewhere, as long as somebody waits."""
        return nullcontext()

    def _tell(self) -> None:
        """Wakes whoever waits."""
        news, self._news = self._news, asyncio.Event()
        news.set()
