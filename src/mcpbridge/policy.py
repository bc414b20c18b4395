"""Policies: whether a call runs, is refused, or waits for a person's yes.

Whatever goes wrong in a policy of the host's refuses the call: `Deny.code` says what did.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from mcpbridge.errors import ConfigError
from mcpbridge.tools import Call, Tool

logger = logging.getLogger(__name__)

POLICY_SECONDS = 5.0
"""How long an asynchronous policy may think."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Allow:
    """The call runs."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deny:
    """The call is refused; the reason is told to the caller, and `explain` gives the code, which is stable."""

    reason: str = ""
    code: str = "policy_denied"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """The call waits for a person's yes; the reason is shown to that person."""

    reason: str = ""


Ruling: TypeAlias = Allow | Deny | Ask

Policy: TypeAlias = Callable[[Call, Tool], Ruling | Awaitable[Ruling]]
"""What a host passes: decides on one call of one tool, as the caller sees the tool."""

_ALLOW, _ASK = Allow(), Ask()
_RAISED = Deny(code="policy_raised", reason="the gateway's policy came to no decision")
_LATE = Deny(code="policy_timeout", reason="the gateway's policy came to no decision in time")
_NONSENSE = Deny(code="policy_invalid", reason="the gateway's policy gave no decision")


def reads_run_writes_ask(_call: Call, tool: Tool) -> Ruling:
    """The default: what only reads runs, everything else asks, each time.

    A tool reads only where `access` is `read`. A source that does not trust its upstream sets `write`, whatever the
    upstream says of its tools.
    """
    return _ALLOW if tool.access == "read" else _ASK


def ask_always(_call: Call, _tool: Tool) -> Ruling:
    """Every call asks, reads too."""
    return _ASK


def read_only(_call: Call, tool: Tool) -> Ruling:
    """What only reads runs, everything else is refused."""
    return _ALLOW if tool.access == "read" else Deny(reason="only tools that read may be called here")


def strictest(*policies: Policy) -> Policy:
    """All of the policies as one: a `Deny` counts more than an `Ask`, that more than an `Allow`; the first of its kind.

    They are asked in order, up to the first that denies. One that fails denies.

    Raises: ConfigError for none at all, and for what is no policy.
    """
    if not policies:
        raise ConfigError("strictest() has no policies: give one at least")
    if strange := [policy for policy in policies if not callable(policy)]:
        raise ConfigError(f"{strange[0]!r} is no policy: give a function of (call, tool)")

    async def all_of_them(call: Call, tool: Tool) -> Ruling:
        strict = await rule(policies[0], call, tool)
        for policy in policies[1:]:
            if isinstance(strict, Deny):
                break
            ruling = await rule(policy, call, tool)
            if isinstance(ruling, Deny) or (isinstance(ruling, Ask) and isinstance(strict, Allow)):
                strict = ruling
        return strict

    return all_of_them


async def rule(policy: Policy, call: Call, tool: Tool, *, seconds: float = POLICY_SECONDS) -> Ruling:
    """The policy's ruling. One that raises, takes too long or gives anything else than a ruling refuses.

    Only an asynchronous policy can be stopped: a plain function that hangs holds up the event loop.
    """
    late = asyncio.timeout(seconds)
    try:
        ruling = policy(call, tool)
        if inspect.isawaitable(ruling):
            async with late:
                ruling = await ruling
    except Exception:  # whatever a host's policy raises must not let a call through
        logger.exception("the policy failed for %r: refused", tool.name)
        return _LATE if late.expired() else _RAISED
    return _sound(ruling, tool)


def _sound(ruling: object, tool: Tool) -> Ruling:
    if isinstance(ruling, Allow | Deny | Ask):
        return ruling
    logger.error("the policy gave %s for %r, not Allow, Deny or Ask: refused", type(ruling).__name__, tool.name)
    return _NONSENSE
