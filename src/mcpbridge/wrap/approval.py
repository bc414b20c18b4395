"""The values of an approval: what is asked for, what was decided, and what stands in between."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import mcp_types

from mcpbridge.errors import BridgeError
from mcpbridge.tools import Access, Call, Json, Tool
from mcpbridge.wrap.plain import digest_of, is_object

ApprovalState: TypeAlias = Literal["pending", "approved", "denied", "expired", "claimed", "done", "unknown"]
"""`pending` → `approved` | `denied` | `expired`; `approved` → `claimed` → `done` | `unknown`.

`claimed` means that the call is on its way, `unknown` that its answer was lost: neither is ever run again. A claim goes
back to `approved` where nothing was sent.
"""

LIFETIME = 600.0
"""Seconds in which an approval has to be given and used."""

CLAIM = 600.0
"""Seconds after an approval's end in which a call that it let through may still run; then what it did is `unknown`."""

CallerKey: TypeAlias = tuple[str, str | None, str | None, str | None]
Binding: TypeAlias = tuple[CallerKey, str, str, str]
"""What an approval is for: who calls, the tool's name, a digest of its definition and of what is around it (which
`Approve`, the policy's version, the caller's environment, teams and roles), and the digest of the arguments."""


class DecisionRefused(BridgeError):
    """Who decides may not decide on this request."""

    code: ClassVar[str] = "decision_refused"


class ApprovalsUnavailable(BridgeError):
    """The place where approvals are kept did not do what it was asked: no call that needs one can run."""

    code: ClassVar[str] = "approvals_unavailable"


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalRequest:
    """One call that waits for a yes.

    id         what it is decided by; it can't be guessed
    shown      the masked view for a person
    created, expires, decided   seconds of the Unix epoch, by the clock of where it is kept
    nonce      what the client's next round has to bring, None while none is expected
    queued     the caller was told the id, so that the same call made again finds the decision
    barred     whoever asks may not say yes
    by, reason whose decision it was, and why
    call       correlation id of the call that claimed it
    version    grows by one with each change
    """

    id: str
    binding: Binding
    access: Access
    shown: str
    created: float = 0.0
    expires: float = 0.0
    decided: float | None = None
    state: ApprovalState = "pending"
    nonce: str | None = None
    queued: bool = False
    barred: bool = False
    by: str = ""
    reason: str = ""
    call: str = ""
    version: int = 0

    @property
    def tool(self) -> str:
        """The tool's public name."""
        return self.binding[1]

    @property
    def caller(self) -> CallerKey:
        """Tenant, user, agent and skill of who calls."""
        return self.binding[0]

    @property
    def arguments_digest(self) -> str:
        """SHA-256 (hex) of the canonical arguments."""
        return self.binding[3]

    @property
    def definition(self) -> str:
        """SHA-256 (hex) of the tool's definition and of what is around it."""
        return self.binding[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """How a request stands after somebody decided on it. `won` says whether it was theirs that counted."""

    request: ApprovalRequest
    won: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """A yes or a no, who gave it, and why. `timed_out` marks a no that nobody gave."""

    approved: bool
    by: str = ""
    reason: str = ""
    timed_out: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What an approver needs to have answered first, by the client: MCP input requests by names of its own."""

    requests: Mapping[str, mcp_types.InputRequest]


Said: TypeAlias = Decision | Question | None

Approver: TypeAlias = Callable[[ApprovalRequest, Call], Said | Awaitable[Said]]
"""Decides, asks the client, or gives None where it can't: then the request waits to be decided by its id.

`call.input_responses` holds the answers to the approver's own questions, by its own names: None while the client was
asked nothing, empty where it came back without an answer.
"""


def fresh_token() -> str:
    """128 random bits as text, for ids and nonces."""
    return secrets.token_urlsafe(16)


def bind(tool: Tool, call: Call, scope: str, policy_version: str = "") -> Binding:
    """What an approval of this call is for; `scope` tells apart tools of one name behind different gates.

    Raises: InvalidArguments for arguments that are no JSON.
    """
    origin, caller = tool.origin, call.caller
    defined = (tool.digest, origin.slug, origin.revision, origin.name)
    around = (scope, policy_version, caller.environment, sorted(caller.teams), sorted(caller.roles))
    definition = hashlib.sha256(repr((defined, around)).encode("utf-8", "surrogatepass")).hexdigest()
    return (caller.key(), tool.name, definition, digest_of(covered(tool, call), tool=call.name))


def covered(tool: Tool, call: Call) -> Mapping[str, Json]:
    """The arguments that an approval is for: those of the call, and those that the host fixed."""
    return {**call.arguments, **tool.fixed}


def same(one: Binding, other: Binding) -> bool:
    """Whether two are for the same call, in constant time."""
    return hmac.compare_digest(repr(one).encode(), repr(other).encode())


def ticket_of(own: Json) -> tuple[str, str] | None:
    """The id and nonce that we stored, or None for a state that we never wrote: then the person is asked."""
    if not is_object(own):
        return None
    ticket = (own.get("id"), own.get("nonce"))
    match ticket:
        case (str() as id, str() as nonce):
            return (id, nonce)
        case _:
            return None
