"""Policies: whether a call runs, is refused, or waits for a person's yes."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

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
    """The call is refused; the reason is told to the caller."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """The call waits for a person's yes; the reason is shown to that person."""

    reason: str = ""


Ruling: TypeAlias = Allow | Deny | Ask

Policy: TypeAlias = Callable[[Call, Tool], Ruling | Awaitable[Ruling]]
"""What a host passes: decides on one call of one tool, as the caller sees the tool."""

_ALLOW, _ASK = Allow(), Ask()
_UNDECIDED = Deny(reason="the gateway's policy came to no decision")


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


async def rule(policy: Policy, call: Call, tool: Tool, *, seconds: float = POLICY_SECONDS) -> Ruling:
    """The policy's ruling. One that raises, takes too long or gives anything else than a ruling refuses.

    Only an asynchronous policy can be stopped: a plain function that hangs holds up the event loop.
    """
    try:
        ruling = policy(call, tool)
        if inspect.isawaitable(ruling):
            async with asyncio.timeout(seconds):
                ruling = await ruling
    except Exception:  # whatever a host's policy raises must not let a call through
        logger.exception("the policy raised for %r: refused", tool.name)
        return _UNDECIDED
    return _sound(ruling, tool)


def _sound(ruling: object, tool: Tool) -> Ruling:
    if isinstance(ruling, Allow | Deny | Ask):
        return ruling
    logger.error("the policy gave %s for %r, not Allow, Deny or Ask: refused", type(ruling).__name__, tool.name)
    return _UNDECIDED
