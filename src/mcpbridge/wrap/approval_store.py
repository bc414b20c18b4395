"""`PendingApprovals`: requests for approval, in memory.

A durable store takes its place by giving the same methods; `swap` is the one way in which a request changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from mcpbridge.wrap.approval import ApprovalRequest, ApprovalState, Binding, CallerKey

KEPT = 86_400.0
"""Seconds that a request is remembered after it expired, so that a late answer is told so and a used one stays used."""


class PendingApprovals:
    """Requests by id, of one process.

    `limit` bounds all requests and `per_caller` those of one caller; beyond them the oldest is forgotten, which can
    only mean that its call is asked for again. `clock` gives seconds of the Unix epoch.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time, limit: int = 10_000, per_caller: int = 100) -> None:
        self.clock = clock
        self.limit = limit
        self.per_caller = per_caller
        self._requests: dict[str, ApprovalRequest] = {}
        self._queued: dict[Binding, str] = {}
        self._callers: dict[CallerKey, dict[str, None]] = {}

    async def add(self, request: ApprovalRequest) -> None:
        """Keeps a new request."""
        self._make_room(request.caller)
        self._requests[request.id] = request
        self._callers.setdefault(request.caller, {})[request.id] = None
        self._index(request)

    async def get(self, id: str) -> ApprovalRequest | None:
        """The request as it stands now."""
        request = self._requests.get(id)
        return request and self._aged(request)

    async def find(self, binding: Binding) -> ApprovalRequest | None:
        """The queued request for exactly this call, where it is not used up; a no holds until it expires."""
        request = await self.get(self._queued.get(binding, ""))
        if request is None or (request.state == "denied" and self.clock() >= request.expires):
            return None
        return request

    async def swap(self, old: ApprovalRequest, new: ApprovalRequest) -> bool:
        """Puts `new` in the place of `old`, unless the request has changed since `old` was read."""
        now = self._requests.get(old.id)
        if now is None or self._aged(now) != old:
            return False
        self._requests[new.id] = new
        self._index(new)
        return True

    async def decide(self, id: str, *, approved: bool, by: str = "", reason: str = "") -> ApprovalRequest | None:
        """Says yes or no to a request; the first decision stands.

        Gives the request as it stands then: `state` and `by` tell whose decision it is. None for an unknown id.
        """
        old = await self.get(id)
        if old is None or old.state != "pending":
            return old
        state: ApprovalState = "approved" if approved else "denied"
        await self.swap(old, replace(old, state=state, by=by, reason=reason))
        return await self.get(id)

    async def waiting(self) -> Sequence[ApprovalRequest]:
        """The requests that nobody has decided, oldest first."""
        aged = (self._aged(request) for request in self._requests.values())
        return [request for request in aged if request.state == "pending"]

    def _aged(self, request: ApprovalRequest) -> ApprovalRequest:
        if request.state in {"pending", "approved"} and self.clock() >= request.expires:
            return replace(request, state="expired")
        return request

    def _index(self, request: ApprovalRequest) -> None:
        if request.queued and request.state in {"pending", "approved", "denied"}:
            self._queued[request.binding] = request.id
        elif self._queued.get(request.binding) == request.id:
            del self._queued[request.binding]

    def _make_room(self, caller: CallerKey) -> None:
        oldest = next(iter(self._requests.values()), None)
        while oldest is not None and (len(self._requests) >= self.limit or oldest.expires + KEPT < self.clock()):
            self._forget(oldest)
            oldest = next(iter(self._requests.values()), None)
        own = self._callers.get(caller, {})
        while len(own) >= self.per_caller:
            self._forget(self._requests[next(iter(own))])

    def _forget(self, request: ApprovalRequest) -> None:
        del self._requests[request.id]
        if self._queued.get(request.binding) == request.id:
            del self._queued[request.binding]
        own = self._callers[request.caller]
        del own[request.id]
        if not own:
            del self._callers[request.caller]
