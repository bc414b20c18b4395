"""`Round`: one call that needs a yes, taken apart. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mcpbridge.source.answer import answers
from mcpbridge.tools import Call, Json, Tool

KEY = "approve"
"""The layer's key in nested questions."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """One call that needs a yes, as it came in, and what the client brought back with it.

    `said` is what it answered to the approver's own questions, None where it was asked nothing. `inner` is the call to
    pass on.
    """

    tool: Tool
    call: Call
    own: Json
    said: Mapping[str, Json] | None
    inner: Call
    reason: str = ""

    @classmethod
    def of(cls, tool: Tool, call: Call, reason: str = "") -> Round:
        """The round that a call is."""
        took = answers(call, KEY)
        said = None if took.own is None else took.responses
        return cls(tool=tool, call=call, own=took.own, said=said, inner=took.inner, reason=reason)

    def unsaid(self) -> Round:
        """The round without the client's answers, where they were for a question that is settled."""
        return replace(self, said=None)
