"""`Audit`: every call is recorded, refusals too, and a write before it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Literal, Self, TypeAlias

import mcp_types

from mcpbridge.errors import (
    ApprovalRequired,
    AuthRequired,
    BridgeError,
    ConfigError,
    Failure,
    InvalidArguments,
    ToolNotFound,
)
from mcpbridge.source.answer import error_of, failed
from mcpbridge.source.base import Answer, ToolSource, Wrapper
from mcpbridge.tools import Call, Item, Tool
from mcpbridge.wrap.approval import covered
from mcpbridge.wrap.audit_event import AuditEvent, AuditOutcome, AuditSink
from mcpbridge.wrap.audit_log import AuditLog, AuditUnavailable
from mcpbridge.wrap.plain import digest_of

WhenDown: TypeAlias = Literal["refuse_writes", "refuse_all", "go_on"]
"""What becomes of calls while the audit can't be written."""

_ASKED = frozenset({"approval_required", "auth_required"})
_REFUSED = frozenset(
    {
        "policy_denied",
        "approval_denied",
        "approval_expired",
        "approval_timed_out",
        "approval_used",
        "approval_invalid",
        "approvals_unavailable",
    }
)

End: TypeAlias = tuple[AuditOutcome, str]
"""How a call ended, and the code of the reason."""


class Audit(Wrapper):
    """Records each call: who, what, when, how it ended and why, and digests of the arguments, never these themselves.

    It belongs outermost, so that what other layers refuse is recorded too. A call that may write is recorded as
    `started`, and leaves only when that is written down; how it ended is recorded as a second event. Others are
    recorded once, in a batch, and wait for nothing.

    `log` is a sink, or an `AuditLog` that several share. `when_down` says what happens while it can't be written:
    writes are refused (the default), all calls are, or all go on.
    """

    def __init__(self, inner: ToolSource, log: AuditSink | AuditLog, *, when_down: WhenDown = "refuse_writes") -> None:
        super().__init__(inner)
        if when_down not in {"refuse_writes", "refuse_all", "go_on"}:
            raise ConfigError(f"when_down is 'refuse_writes', 'refuse_all' or 'go_on', not {when_down!r}")
        self.log = log if isinstance(log, AuditLog) else AuditLog(log)
        self.when_down = when_down

    async def call(self, call: Call) -> Answer:
        digests: Mapping[str, str] = {}
        end: End = ("failed", "cancelled")
        try:
            item = await self.inner.get(*call.target(), call.caller)
            digests = _digests(item, call)
            answer = await self._refused(item, call, digests)
            if answer is None:
                end = ("unknown", "cancelled")
                answer = await self.inner.call(call)
            end = _end(answer)
        except BridgeError as error:
            end = _raised(error)
            raise
        except Exception:
            end = (end[0], "internal")
            raise
        finally:
            self.log.note(self._event(call, end, digests))
        return answer

    async def _refused(self, item: Item, call: Call, digests: Mapping[str, str]) -> Answer | None:
        """The refusal of a call that the audit could not take, or None where it may go on."""
        if isinstance(item, Tool) and item.access != "read":
            try:
                await self.log.record(self._event(call, ("started", ""), digests))
            except AuditUnavailable as error:
                return None if self.when_down == "go_on" else _unavailable(call, error)
        elif self.when_down == "refuse_all" and self.log.error is not None:
            return _unavailable(call, AuditUnavailable("the audit can't be written"))
        return None

    def _event(self, call: Call, end: End, digests: Mapping[str, str]) -> AuditEvent:
        return AuditEvent(
            kind="call",
            what=call.name,
            action=call.kind,
            outcome=end[0],
            reason=end[1],
            at=self.log.clock(),
            caller=call.caller,
            call=call.id,
            digests=digests,
        )

    async def __aenter__(self) -> Self:
        await self.log.__aenter__()
        try:
            return await super().__aenter__()
        except BaseException:
            await self.log.__aexit__(None, None, None)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(kind, error, trace)
        finally:
            await self.log.__aexit__(kind, error, trace)


def _digests(item: Item, call: Call) -> Mapping[str, str]:
    """What an approval of the call is bound to as well: the arguments, those that the host fixed included."""
    if not isinstance(item, Tool):
        return {}
    try:
        arguments = digest_of(covered(item, call))
    except InvalidArguments:  # they are no JSON: there is no text to take a digest of, and the call will be refused
        return {}
    return {"arguments": arguments} if item.access == "read" else {"arguments": arguments, "tool": item.digest}


def _end(answer: Answer) -> End:
    if isinstance(answer, mcp_types.InputRequiredResult):
        return ("asked", "input_required")
    failure = error_of(answer)
    if failure is None:
        is_error = isinstance(answer, mcp_types.CallToolResult) and answer.is_error
        return ("failed", "tool_error") if is_error else ("ok", "")
    return (_outcome(failure), failure.code)


def _outcome(failure: Failure) -> AuditOutcome:
    if failure.code in _ASKED:
        return "asked"
    if failure.code in _REFUSED or failure.code == AuditUnavailable.code:
        return "refused"
    return "unknown" if failure.sent == "unknown" else "failed"


def _raised(error: BridgeError) -> End:
    match error:
        case ToolNotFound() | InvalidArguments():
            return ("refused", error.code)
        case AuthRequired() | ApprovalRequired():
            return ("asked", error.code)
        case _:
            return ("failed", error.code)


def _unavailable(call: Call, error: AuditUnavailable) -> Answer:
    return failed(
        Failure(
            code=error.code,
            message=f"{call.name!r} was not run: it could not be recorded first",
            hint="The gateway's audit is down. Nothing was sent; try again later.",
            retryable=True,
            id=call.id,
        )
    )
