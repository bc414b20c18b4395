"""`Retry`: the one layer that repeats a call."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from mcpbridge.errors import ConfigError, UpstreamError
from mcpbridge.net.limits import Limits
from mcpbridge.source.answer import error_of, failed
from mcpbridge.source.base import Answer, ToolSource, Wrapper
from mcpbridge.tools import Call, Item, Tool
from mcpbridge.wrap.naming import split
from mcpbridge.wrap.retry_attempts import SEARCH, Attempts
from mcpbridge.wrap.retry_budget import RetryBudget
from mcpbridge.wrap.retry_rules import check_of, outcome_unknown

ATTEMPTS = "attempts"
"""The member of a failure's `details` that says how often the call was made. Only this layer writes it."""

_BUDGETS = 1_000
"""Upstreams whose budgets are kept before all are made afresh."""


class Retry(Wrapper):
    """Repeats what failed and may be repeated: a read, an idempotent call, or one that surely did not leave.

    attempts    how often a call is made at most, the first time included
    deadline    seconds from the call's beginning in which a repeat must begin and end, pauses included
    share       repeats as a share of the calls to one upstream within ten seconds (`RetryBudget`)

    Pauses are random and grow. An upstream's Retry-After is obeyed where the deadline allows; else the failure is
    given at once, with its `retry_after`. A write that was lost after it left answers `outcome_unknown`, is never
    repeated, and names the tool to check with. A failure that comes from another `Retry` is passed on, so that two of
    them do not multiply.

    `clock` gives seconds that never go back, `sleep` waits.

    Raises: ConfigError for a number that can't be.
    """

    def __init__(
        self,
        inner: ToolSource,
        *,
        attempts: int = 3,
        deadline: float = Limits().deadline,
        share: float = 0.2,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(inner)
        if attempts < 1 or not (deadline > 0 and share >= 0 and math.isfinite(share)):
            raise ConfigError(
                f"Retry(attempts={attempts!r}, deadline={deadline!r}, share={share!r}): "
                "attempts start at 1, the deadline is above 0, the share is 0 or more"
            )
        self.attempts = attempts
        self.deadline = deadline
        self._share = share
        self._clock = clock
        self._sleep = sleep
        self._budgets: dict[str, RetryBudget] = {}

    async def call_item(self, item: Item | None, call: Call) -> Answer:
        began = self._clock()
        answer = await self.inner.call(call)
        self._budget(call).count(began)
        failure = error_of(answer)
        if failure is None or ATTEMPTS in failure.details or not failure.retryable:
            return answer
        return await self._after(answer, call, began)

    async def _after(self, first: Answer, call: Call, began: float) -> Answer:
        """What becomes of a call that failed at first."""
        run = Attempts(
            source=self.inner,
            call=call,
            most=self.attempts,
            began=began,
            seconds=self.deadline,
            budget=self._budget(call),
            clock=self._clock,
            sleep=self._sleep,
        )
        return await self._told(await run.after(first), run)

    def _budget(self, call: Call) -> RetryBudget:
        """The budget of the upstream that a call goes to: that of its slug, where names have one."""
        parts = split(call.target()[0], call.name)
        slug = parts[0] if parts else ""
        budget = self._budgets.get(slug)
        if budget is None:
            if len(self._budgets) >= _BUDGETS:
                self._budgets.clear()
            budget = self._budgets[slug] = RetryBudget(share=self._share)
        return budget

    async def _told(self, answer: Answer, run: Attempts) -> Answer:
        """The last answer, with what is known of all attempts."""
        failure = error_of(answer)
        if failure is None:
            return answer
        if run.losses and run.writes:
            failure = outcome_unknown(failure, run.call, await self._check(run.tool, run.call))
        told = failed(replace(failure, details={**failure.details, ATTEMPTS: run.made}))
        told.meta = {**(answer.meta or {}), **(told.meta or {})}
        return told

    async def _check(self, tool: Tool | None, call: Call) -> Tool | None:
        if tool is None:
            return None
        try:
            async with asyncio.timeout(SEARCH):
                return check_of(tool, await self.inner.list_tools(call.caller))
        except (TimeoutError, UpstreamError):
            return None
