"""What every source must keep, as one check, and `Things`: a source made by hand that has something of every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Self

import mcp_types
import pytest

from mcpbridge.errors import ToolNotFound
from mcpbridge.source.base import Answer, Listener, ToolSource
from mcpbridge.tools import (
    ANYONE,
    Call,
    Caller,
    CallKind,
    Item,
    Json,
    Kind,
    Prompt,
    Resource,
    ResourceTemplate,
    Tool,
)

KINDS: tuple[Kind, ...] = ("tool", "resource", "template", "prompt")

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


def calls_for(kind: Kind, key: str, caller: Caller = ANYONE) -> Sequence[Call]:
    """Every call that reaches the item of this kind and key."""
    ways: Mapping[Kind, Sequence[tuple[CallKind, Mapping[str, Json]]]] = {
        "tool": [("tool", {})],
        "resource": [("resource", {})],
        "template": [("completion", {"ref": "template", "argument": "name", "value": "n"})],
        "prompt": [("prompt", {}), ("completion", {"ref": "prompt", "argument": "who", "value": "w"})],
    }
    return [Call(name=key, kind=way, arguments=arguments, caller=caller) for way, arguments in ways[kind]]


async def check_refused(source: ToolSource, kind: Kind, key: str, caller: Caller = ANYONE) -> None:
    """An item that this caller must not know of: not listed, not got, not called, in the words for an unknown one."""
    words = str(ToolNotFound(key, kind))
    assert key not in [item.key for item in await source.list(kind, caller)]
    with pytest.raises(ToolNotFound) as got:
        await source.get(kind, key, caller)
    assert str(got.value) == words
    for call in calls_for(kind, key, caller):
        with pytest.raises(ToolNotFound) as called:
            await source.call(call)
        assert str(called.value) == words
    verdicts = await source.explain(key, caller, kind=kind)
    assert not verdicts[-1].allowed


async def check_source_contract(source: ToolSource, caller: Caller = ANYONE) -> None:
    """What every source keeps: listings are stable and unique, what is listed is got, what is unknown is refused."""
    for kind in KINDS:
        items = await source.list(kind, caller)
        keys = [item.key for item in items]
        assert [item.key for item in await source.list(kind, caller)] == keys
        assert len({*keys}) == len(keys)
        for item in items:
            assert await source.get(kind, item.key, caller) == item
            assert (await source.explain(item.key, caller, kind=kind))[-1].allowed
        for unknown in ("", "no-such", "slug__no_such", "slug+no:such", "__", "+", "things__", "x" * 300):
            if unknown not in keys:
                await check_refused(source, kind, unknown, caller)
    assert source.version(caller) == source.version(caller)
    assert (await source.status(caller)).state == "connected"
    source.watch(lambda _: None)()
