"""`ApprovalFlow`: the rounds of one approval, from the question to the call that it allows."""

from __future__ import annotations

import asyncio
import hmac
import inspect
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, replace

import mcp_types

from mcpbridge.errors import AuthRequired, BridgeError, InvalidArguments, ToolNotFound
from mcpbridge.source.answer import ask, error_of, nest
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.wrap.approval import (
    ApprovalRequest,
    ApprovalState,
    ApprovalsUnavailable,
    Approver,
    Binding,
    Decision,
    Question,
    Said,
    bind,
    covered,
    fresh_token,
    same,
    ticket_of,
)
from mcpbridge.wrap.approval_answers import refused, required, too_late
from mcpbridge.wrap.approval_round import KEY, Round
from mcpbridge.wrap.approval_store import ApprovalStore
from mcpbridge.wrap.approval_text import show_call

logger = logging.getLogger(__name__)

_FAILED = Decision(approved=False, reason="the approver failed")


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalFlow:
    """Takes a call through its approval. Every step is one compare-and-set in the store, so that of two that try the
    same step one comes through.
    """

    source: ToolSource
    approver: Approver
    approvals: ApprovalStore
    lifetime: float
    scope: str
    policy_version: str
    barred: bool

    async def answer(self, now: Round) -> Answer:
        """The answer to one round: a question, a refusal, or what the source answers."""
        binding = self._bind(now)
        ticket = ticket_of(now.own)
        try:
            if ticket is not None:
                return await self._resume(now, binding, *ticket)
            request = await self.approvals.find(binding) or await self._new(now, binding)
            return await self._proceed(now.unsaid(), request, request)
        except ApprovalsUnavailable:
            logger.exception("the approval of %r can't be looked up or kept: refused", now.tool.name)
            return refused("approvals_unavailable", now.call)

    def _bind(self, now: Round) -> Binding:
        return bind(now.tool, now.call, self.scope, self.policy_version)

    async def _new(self, now: Round, binding: Binding) -> ApprovalRequest:
        in_doubt = await self.approvals.in_doubt(binding)
        request = ApprovalRequest(
            id=fresh_token(),
            binding=binding,
            access=now.tool.access,
            shown=show_call(now.tool, covered(now.tool, now.call), binding[3], now.reason, in_doubt=in_doubt),
            barred=self.barred,
        )
        return await self.approvals.add(request, self.lifetime)

    async def _resume(self, now: Round, binding: Binding, id: str, nonce: str) -> Answer:
        """A round that brings back our state: it is good once, for the call that was asked about."""
        request = await self.approvals.get(id)
        if request is None or not same(request.binding, binding):
            return refused("approval_invalid", now.call)
        if request.state in {"expired", "denied"}:
            return await self._proceed(now, request, request)
        if request.nonce is None or not hmac.compare_digest(
            request.nonce.encode(), nonce.encode("utf-8", "surrogatepass")
        ):
            return refused("approval_used", now.call, request)
        taken = await self.approvals.swap(request, replace(request, nonce=None))
        if taken is None:
            return refused("approval_used", now.call, request)
        return await self._proceed(now, taken, request)

    async def _proceed(self, now: Round, request: ApprovalRequest, back: ApprovalRequest) -> Answer:
        """What the request's state allows. `back` is what it becomes again where the call does not leave."""
        match request.state:
            case "pending":
                return await self._decide(now, request, back)
            case "approved" if now.said:
                return await self._confirm(now, request, back)
            case "approved" | "claimed":
                return await self._run(now, request, back)
            case "denied":
                return refused("approval_denied", now.call, request)
            case "expired":
                await self.approvals.swap(request, replace(request, queued=False, nonce=None))
                return too_late(now.call, request)
            case "done" | "unknown":
                return refused("approval_used", now.call, request)

    async def _decide(self, now: Round, request: ApprovalRequest, back: ApprovalRequest) -> Answer:
        said = await self._ask(now, request)
        match said:
            case Question():
                nonce = fresh_token()
                if await self.approvals.swap(request, replace(request, nonce=nonce)):
                    return ask(KEY, said.requests, {"id": request.id, "nonce": nonce})
            case Decision():
                if decided := await self.approvals.swap(request, self._decided(request, said)):
                    return await self._proceed(now.unsaid(), decided, replace(decided, nonce=back.nonce))
            case None:
                if queued := await self._queued(request):
                    return required(now.call, queued, self.approvals.clock())
        return await self._overtaken(now, request, said)

    async def _queued(self, request: ApprovalRequest) -> ApprovalRequest | None:
        """The pending request, which the same call made again will find."""
        current = await self.approvals.get(request.id)
        if current is None or current.state != "pending":
            return None
        return current if current.queued else await self.approvals.swap(current, replace(current, queued=True))

    async def _overtaken(self, now: Round, request: ApprovalRequest, said: Said) -> Answer:
        """Somebody else decided, or time ran out, while this round was asking."""
        current = await self.approvals.get(request.id)
        if current is None or current.state == "pending":
            return refused("approval_invalid", now.call)
        if current.state == "approved" and isinstance(said, Decision) and not said.approved:
            return await self._denied(now, current, said)
        return await self._proceed(now.unsaid(), current, current)

    async def _confirm(self, now: Round, request: ApprovalRequest, back: ApprovalRequest) -> Answer:
        """Approved elsewhere, but the client was asked as well: its no still counts."""
        said = await self._ask(now, request)
        if isinstance(said, Decision) and not said.approved:
            return await self._denied(now, request, said)
        return await self._run(now, request, back)

    async def _denied(self, now: Round, request: ApprovalRequest, said: Decision) -> Answer:
        denied = self._decided(request, said)
        await self.approvals.swap(request, denied)
        return refused("approval_denied", now.call, denied)

    async def _ask(self, now: Round, request: ApprovalRequest) -> Said:
        """What the approver says in the time that the request has left. One that fails says no."""
        asked = replace(now.call, input_responses=now.said, request_state=None)
        try:
            async with asyncio.timeout(max(0.0, request.expires - self.approvals.clock())):
                answer = self.approver(request, asked)
                return _sound(await answer if inspect.isawaitable(answer) else answer, request)
        except TimeoutError:
            return Decision(approved=False, timed_out=True)
        except Exception:  # whatever a host's approver raises must not let a call through
            logger.exception("the approver raised for %r: denied", request.tool)
            return _FAILED

    def _decided(self, request: ApprovalRequest, said: Decision) -> ApprovalRequest:
        if said.timed_out:
            return replace(request, state="expired")
        state: ApprovalState = "approved" if said.approved else "denied"
        return replace(request, state=state, by=said.by, reason=said.reason, decided=self.approvals.clock())

    async def _run(self, now: Round, request: ApprovalRequest, back: ApprovalRequest) -> Answer:
        """The call, claimed before it leaves. What it ended as decides what becomes of the claim."""
        if not same(self._bind(now), request.binding):  # the arguments were changed while a person was asked
            return refused("approval_invalid", now.call)
        claimed = await self.approvals.swap(request, replace(request, state="claimed", nonce=None, call=now.call.id))
        if claimed is None:
            return refused("approval_used", now.call, request)
        unsent = replace(back, queued=back.queued or back.state == "approved")
        after = replace(claimed, state="unknown")
        try:
            answer = await self.source.call(now.inner)
            if isinstance(answer, mcp_types.InputRequiredResult):
                nonce = fresh_token()
                answer = nest(answer, KEY, {"id": request.id, "nonce": nonce})
                after = replace(claimed, nonce=nonce)
            else:
                failure = error_of(answer)
                after = {"yes": replace(claimed, state="done"), "no": unsent, "unknown": after}[
                    failure.sent if failure else "yes"
                ]
        except (InvalidArguments, ToolNotFound, AuthRequired):
            after = unsent  # these say that nothing left
            raise
        finally:
            await _finished(self._finish(claimed, after))
        return answer

    async def _finish(self, claimed: ApprovalRequest, after: ApprovalRequest) -> None:
        """Writes down what became of the claim. Where that fails it stays claimed, and counts as unknown in time."""
        try:
            await self.approvals.swap(claimed, after)
        except BridgeError:
            logger.exception("what became of the approved call of %r can't be written down", claimed.tool)


_finishing = set[asyncio.Task[None]]()


async def _finished(work: Coroutine[object, object, None]) -> None:
    """Does the work to its end, also where whoever waits for it is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    _finishing.add(task)
    task.add_done_callback(_finishing.discard)
    await asyncio.shield(task)


def _sound(said: object, request: ApprovalRequest) -> Said:
    if said is None or isinstance(said, Decision | Question):
        return said
    logger.error("the approver gave %s for %r: denied", type(said).__name__, request.tool)
    return _FAILED
