"""The value that a comparison gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Effect: TypeAlias = Literal["added", "removed", "breaking", "access_lowered", "compatible", "text"]
"""What a change means for those who call the tool.

added           a tool that was not there
removed         a tool that is gone: callers break
breaking        arguments that were valid may be refused now, or answers may no longer fit
access_lowered  the tool says that it reads where it said that it writes: a policy may no longer ask
compatible      whatever was valid stays valid
text            only words for people and models changed
"""

BREAKING: frozenset[Effect] = frozenset({"removed", "breaking", "access_lowered"})
"""The effects that somebody has to look at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One change of one tool.

    `pointer` is a JSON pointer (RFC 6901) into the tool as MCP writes it. `id` is stable for the same change:
    the effect, the tool and the pointer.
    """

    effect: Effect
    tool: str
    pointer: str
    message: str

    @property
    def id(self) -> str:
        """The change's name in reports: `effect tool pointer`."""
        return f"{self.effect} {self.tool} {self.pointer}".rstrip()

    @property
    def breaks(self) -> bool:
        """Whether somebody who relies on the old tool has to act."""
        return self.effect in BREAKING
