"""`PendingApprovals`: requests for approval in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from mcpbridge.wrap.approval import ApprovalRequest, Binding, CallerKey, same
from mcpbridge.wrap.approval_rules import IN_DOUBT, aged, counting, unchanged
from mcpbridge.wrap.approval_store import KEPT, ApprovalStore


class PendingApprovals(ApprovalStore):
    """Requests of one process, that end with it.

    `limit` bounds all requests and `per_caller` those of one caller; beyond them the oldest is forgotten, which can
    only mean that its call is asked for again. `clock` gives seconds of the Unix epoch.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time, limit: int = 10_000, per_caller: int = 100) -> None:
        super().__init__(clock=clock)
        self.limit = limit
        self.per_caller = per_caller
        self._requests: dict[str, ApprovalRequest] = {}
        self._callers: dict[CallerKey, dict[str, None]] = {}

    async def add(self, request: ApprovalRequest, lifetime: float) -> ApprovalRequest:
        self._make_room(request.caller)
        created = self.clock()
        kept = replace(request, created=created, expires=created + lifetime)
        self._requests[request.id] = kept
        self._callers.setdefault(request.caller, {})[request.id] = None
        return kept

    async def get(self, id: str) -> ApprovalRequest | None:
        request = self._requests.get(id)
        return request and aged(request, self.clock())

    async def find(self, binding: Binding) -> ApprovalRequest | None:
        now = self.clock()
        return counting((aged(one, now) for one in self._for(binding)), now)

    async def in_doubt(self, binding: Binding) -> bool:
        return any(one.state in IN_DOUBT for one in self._for(binding))

    async def swap(self, old: ApprovalRequest, new: ApprovalRequest) -> ApprovalRequest | None:
        now = self._requests.get(old.id)
        if now is None or not unchanged(aged(now, self.clock()), old):
            return None
        kept = replace(new, version=old.version + 1)
        self._requests[new.id] = kept
        self._tell()
        return kept

    async def waiting(self, tenant: str | None = None) -> Sequence[ApprovalRequest]:
        now = self.clock()
        standing = (aged(one, now) for one in self._requests.values())
        return [one for one in standing if one.state == "pending" and tenant in {None, one.caller[0]}]

    def _for(self, binding: Binding) -> Iterable[ApprovalRequest]:
        own = (self._requests[key] for key in self._callers.get(binding[0], {}))
        return (one for one in own if same(one.binding, binding))

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
        own = self._callers[request.caller]
        del own[request.id]
        if not own:
            del self._callers[request.caller]
