"""The tools that our agents get: tickets over REST, without what is internal, and no ticket closed twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mcpbridge import Answer, Call, Failure, Item, RestSource, Select, ToolSource, Wrapper, error_of, failed

DESCRIPTION = Path(__file__).with_name("tickets.json")


class CloseOnce(Wrapper):
    """Refuses to close a ticket that was closed here before."""

    def __init__(self, inner: ToolSource) -> None:
        super().__init__(inner)
        self.closed: set[int] = set()

    async def call_item(self, item: Item | None, call: Call) -> Answer:
        if call.name != "close_ticket":
            return await self.inner.call(call)
        if call.arguments.get("id") in self.closed:
            return failed(Failure(code="closed_already", message="the ticket is closed already", id=call.id))
        answer = await self.inner.call(call)
        if error_of(answer) is None:
            self.closed.add(call.arguments["id"])
        return answer


def ticket_tools(**options: Any) -> ToolSource:
    """Everything of the API but what is internal."""
    return CloseOnce(RestSource.from_openapi(DESCRIPTION, select=Select(paths=["/tickets*"]), **options))
