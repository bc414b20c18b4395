"""`Attempts`: one call that failed at first, made again until it works or may not be made any more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from mcpbridge.errors import Failure, ToolNotFound, UpstreamError
from mcpbridge.source.answer import error_of, failed
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import Call, Tool
from mcpbridge.wrap.retry_budget import RetryBudget
from mcpbridge.wrap.retry_rules import LOSSES, is_lost, is_safe, may_repeat

if TYPE_CHECKING:
    from tenacity import RetryCallState

_FIRST, _MOST = 0.1, 2.0
"""Seconds: the longest pause before the first repeat, doubled for each next one, and its bound."""

SEARCH = 0.5
"""Seconds that looking for a tool may take, after a call has failed."""


@dataclass(kw_only=True, slots=True)
class Attempts:
    """The attempts at one call, `most` of them; `seconds` count from `began`.

    `made` counts the attempts, and `losses` those that left and were never answered. `tool` is what was called, asked
    for where it matters; None where there is no such tool, or the call is none of a tool.
    """

    source: ToolSource
    call: Call
    most: int
    began: float
    seconds: float
    budget: RetryBudget
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    made: int = 0
    losses: int = 0
    tool: Tool | None = None

    @property
    def writes(self) -> bool:
        """Whether the call may change something. What is not known to read may."""
        return self.call.kind == "tool" and (self.tool is None or self.tool.access != "read")

    async def after(self, first: Answer) -> Answer:
        """The last answer, `first` where nothing may be repeated: a success, or the failure that it ends with."""
        await self._note(first)
        return await self._again(first) if self._repeatable(error_of(first)) else first

    async def _again(self, first: Answer) -> Answer:
        from tenacity import AsyncRetrying, wait_random_exponential  # nothing of it is on the way of a call that works

        had: list[Answer] = [first]

        async def attempt() -> Answer:
            return had.pop() if had else await self._attempt()

        pause = wait_random_exponential(multiplier=_FIRST, max=_MOST)
        retrying = AsyncRetrying(
            sleep=self.sleep,
            retry=lambda state: self._repeatable(_failure_in(state)),
            wait=lambda state: _asked(state) + pause(state),
            stop=self._ended,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else first,
        )
        return await retrying(attempt)

    async def _attempt(self) -> Answer:
        limit = asyncio.timeout(max(0.0, self.began + self.seconds - self.clock()))
        try:
            async with limit:
                answer = await self.source.call(self.call)
        except TimeoutError:
            if not limit.expired():
                raise
            answer = failed(self._overdue())
        await self._note(answer)
        return answer

    async def _note(self, answer: Answer) -> None:
        failure = error_of(answer)
        self.made += 1
        if failure is not None and failure.sent != "no":
            self.losses += is_lost(failure)
            self.tool = self.tool or await self._called()

    async def _called(self) -> Tool | None:
        if self.call.kind != "tool":
            return None
        try:
            async with asyncio.timeout(SEARCH):
                return cast("Tool", await self.source.get("tool", self.call.name, self.call.caller))
        except (TimeoutError, ToolNotFound, UpstreamError):
            return None

    def _repeatable(self, failure: Failure | None) -> bool:
        """Whether the call may be made again after this failure, leaving time and budget aside."""
        safe = self.call.kind != "tool" or (self.tool is not None and is_safe(self.tool))
        return failure is not None and self.losses < LOSSES and may_repeat(failure, safe=safe)

    def _ended(self, state: RetryCallState) -> bool:
        """Whether the attempts, the time or the budget are used up; what is left of the budget is drawn on."""
        now = self.clock()
        if self.made >= self.most or now + state.upcoming_sleep >= self.began + self.seconds:
            return True
        return not self.budget.spend(now)

    def _overdue(self) -> Failure:
        return Failure(
            code="timeout",
            message=f"{self.call.name!r} was repeated, but did not end within {self.seconds:g} s of its beginning",
            hint="Try again later, or ask for less.",
            retryable=True,
            sent="unknown",
            id=self.call.id,
        )


def _asked(state: RetryCallState) -> float:
    """Seconds that the upstream asks to wait."""
    failure = _failure_in(state)
    return (failure.retry_after or 0.0) if failure else 0.0


def _failure_in(state: RetryCallState) -> Failure | None:
    """The failure that an attempt gave; None where it worked or raised."""
    if state.outcome is None or state.outcome.failed:
        return None
    return error_of(cast("Answer", state.outcome.result()))
