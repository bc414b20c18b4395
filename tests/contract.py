"""`Things`: a source made by hand that has something of every kind. What every source keeps is `check_source`'s."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Self

import mcp_types

from mcpbridge.errors import ToolNotFound
from mcpbridge.source.base import Answer, Listener, ToolSource
from mcpbridge.testing.contract import KINDS, calls_for, check_refused
from mcpbridge.testing.contract import check_source as check_source_contract
from mcpbridge.tools import (
    Call,
    Caller,
    Item,
    Kind,
    Prompt,
    Resource,
    ResourceTemplate,
    Tool,
)

__all__ = ["ITEMS", "KINDS", "Things", "calls_for", "check_refused", "check_source_contract", "text", "words_of"]

ITEMS: Mapping[Kind, Sequence[Item]] = {
    "tool": (
        Tool(name="read_it", description="Reads it.", access="read"),
        Tool(
            name="write_it",
            description="Writes it.",
            input_schema={
                "type": "object",
                "properties": {
                    "text": {"type": "string"},
                    "mode": {"enum": ["fast", "slow"]},
                    "n": {"type": "integer"},
                },
                "additionalProperties": False,
            },
        ),
    ),
    "resource": (Resource(uri="file:///notes.txt", name="Notes"),),
    "template": (ResourceTemplate(uri_template="file:///{name}.txt", name="Any note"),),
    "prompt": (Prompt(name="greet", description="Greets."),),
}


class Things(ToolSource):
    """Has something of every kind, records the calls that reach it, and answers what `answer` gives."""

    def __init__(self, items: Mapping[Kind, Sequence[Item]] = ITEMS, name: str = "things") -> None:
        self.items = {**items}
        self.name = name
        self.calls: list[Call] = []
        self.answer: Callable[[Call], Answer] = self.by_kind
        self.age = 0
        self.entered = self.left = 0
        self.listeners: list[Listener] = []

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        return self.items.get(kind, ())

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        for item in self.items.get(kind, ()):
            if item.key == key:
                return item
        raise ToolNotFound(key, kind)

    async def call(self, call: Call) -> Answer:
        await self.get(*call.target(), call.caller)
        self.calls.append(call)
        return self.answer(call)

    def by_kind(self, call: Call) -> Answer:
        match call.kind:
            case "tool":
                return text(f"{self.name} did {call.name}")
            case "resource":
                part = mcp_types.TextResourceContents(uri=call.name, text="noted")
                return mcp_types.ReadResourceResult(contents=[part])
            case "prompt":
                said = mcp_types.PromptMessage(role="user", content=mcp_types.TextContent(text="hello"))
                return mcp_types.GetPromptResult(messages=[said])
            case "completion":
                return mcp_types.CompleteResult(completion=mcp_types.Completion(values=["world"]))

    def version(self, caller: Caller) -> str:
        return str(self.age)

    def watch(self, listener: Listener) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def change(self, kind: Kind, items: Sequence[Item]) -> None:
        """Gives a kind other items and tells who watches."""
        self.items[kind] = items
        self.age += 1
        for listener in tuple(self.listeners):
            listener(kind)

    async def __aenter__(self) -> Self:
        self.entered += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self.left += 1


def text(words: str) -> mcp_types.CallToolResult:
    """A tool's answer of one text."""
    return mcp_types.CallToolResult(content=[mcp_types.TextContent(text=words)])


def words_of(answer: Answer) -> str:
    """The text of a tool's answer."""
    assert isinstance(answer, mcp_types.CallToolResult)
    return "".join(block.text for block in answer.content if isinstance(block, mcp_types.TextContent))
