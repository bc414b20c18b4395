"""The policy of a gateway: the host's own, and what a record says of each of its tools."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mcpbridge.integrations.parts import Mode
from mcpbridge.policy import Allow, Ask, Deny, Policy, Ruling, rule
from mcpbridge.tools import Call, Tool


def by_record(policy: Policy, mode_of: Callable[[Call, Tool], Mode]) -> Policy:
    """The host's policy, where the record does not say `ask` or `auto` of the tool. What the host denies stays so."""

    def ruled(call: Call, tool: Tool) -> Ruling | Awaitable[Ruling]:
        mode = mode_of(call, tool)
        return policy(call, tool) if mode == "default" else _moded(policy, call, tool, mode)

    return ruled


async def _moded(policy: Policy, call: Call, tool: Tool, mode: Mode) -> Ruling:
    ruling = await rule(policy, call, tool)
    if isinstance(ruling, Deny):
        return ruling
    return Allow(reason="the integration lets it run") if mode == "auto" else Ask(reason="the integration asks for it")
