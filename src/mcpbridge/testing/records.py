"""`record_calls`: a source around another one that remembers what went through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mcpbridge.errors import BridgeError
from mcpbridge.source.base import Answer, ToolSource, Wrapper
from mcpbridge.tools import Call, Item


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A call that was made, with its answer or the error that it raised."""

    call: Call
    answer: Answer | None = None
    error: BridgeError | None = None


class Record(Wrapper):
    """Passes everything on and keeps the calls that ended, in the order in which they did.

    What stands outside of it (`Validate`, `Approve` …) may have refused calls before: those never came here.
    """

    def __init__(self, inner: ToolSource) -> None:
        super().__init__(inner)
        self.made: list[Made] = []

    @property
    def calls(self) -> Sequence[Call]:
        """The calls alone."""
        return [made.call for made in self.made]

    @property
    def names(self) -> Sequence[str]:
        """Their names alone."""
        return [made.call.name for made in self.made]

    async def call_item(self, item: Item | None, call: Call) -> Answer:
        try:
            answer = await self.inner.call(call)
        except BridgeError as error:
            self.made.append(Made(call=call, error=error))
            raise
        self.made.append(Made(call=call, answer=answer))
        return answer


def record_calls(source: ToolSource) -> Record:
    """The source, with `calls`, `names` and `made` to look at afterwards."""
    return Record(source)
