"""A source that offers a little of every kind, counts how it is used, and misbehaves on demand."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import mcp_types
import uvicorn
from mcp import Client
from mcp_types import CallToolResult, TextContent
from starlette.types import ASGIApp

from mcpbridge.errors import ArgumentProblem, InvalidArguments, ToolNotFound
from mcpbridge.source.answer import answers, ask
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import Call, Caller, Item, Kind, Prompt, Resource, ResourceTemplate, Tool

Connect: TypeAlias = Callable[..., AbstractAsyncContextManager[Client]]
"""Opens a client; options go to `mcp.Client`."""

CANARY = "sk-canary-3f9c1d"
LIST = {"type": "array", "items": {"type": "string"}}
CONFIRM = mcp_types.ElicitRequestFormParams(
    message="Delete it?", requested_schema={"type": "object", "properties": {"why": {"type": "string"}}}
)
CONSENT = mcp_types.ElicitRequestURLParams(message="Log in", url="https://login.example/", elicitation_id="1")

TOOLS = (
    Tool(name="book", description="One book", input_schema={"type": "object"}, access="read"),
    Tool(name="books", description="All books", output_schema=LIST, access="read"),
    Tool(name="boom", description="Fails inside"),
    Tool(name="delete", description="Asks first"),
    Tool(name="insist", description="Asks for ever"),
    Tool(name="login", description="Asks to open a page"),
    Tool(name="nonsense", description="Answers with what is no tool result"),
    Tool(name="picky", description="Wants other arguments"),
    Tool(name="quiet", description="Works, and is in no listing", listed=False),
    Tool(name="region", input_schema={"type": "object", "properties": {"r": {"type": "string", "x-mcp-header": "R"}}}),
    Tool(name="secret", description="Ann's own"),
    Tool(name="slow", description="Reports progress"),
    Tool(name="stamped", description="Carries another hop's metadata"),
)


class Shelf(ToolSource):
    """`deleted` counts writes, `counts` the calls of each method."""

    def __init__(self, more: Sequence[Tool] = ()) -> None:
        self.tools = {tool.name: tool for tool in (*TOOLS, *more)}
        self.counts: Counter[str] = Counter()
        self.deleted: list[object] = []
        self.calls: list[Call] = []

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        self.counts["list"] += 1
        if kind == "resource":
            return [Resource(uri="shelf:///a", name="a")]
        if kind == "template":
            return [ResourceTemplate(uri_template="shelf:///{id}", name="any")]
        if kind == "prompt":
            return [Prompt(name="greet", arguments=[{"name": "who"}])]
        return [tool for tool in self.tools.values() if _may_see(tool.name, caller)]

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        self.counts["get"] += 1
        if kind != "tool" or key not in self.tools or not _may_see(key, caller):
            raise ToolNotFound(key, kind)
        return self.tools[key]

    async def call(self, call: Call) -> Answer:
        self.counts["call"] += 1
        self.calls.append(call)
        if call.kind == "tool":
            await self.get("tool", call.name, call.caller)
            return await self._tool(call)
        if call.name == "greet" and call.kind == "prompt":
            message = mcp_types.PromptMessage(role="user", content=TextContent(text=f"Hello {call.arguments['who']}"))
            return mcp_types.GetPromptResult(messages=[message])
        if call.kind == "completion":
            return mcp_types.CompleteResult(
                completion=mcp_types.Completion(values=[str(call.arguments["value"]) + "!"])
            )
        if call.name == "shelf:///boom":
            raise RuntimeError(CANARY)
        if call.name == "shelf:///a":
            content = mcp_types.TextResourceContents(uri="shelf:///a", text="A")
            return mcp_types.ReadResourceResult(contents=[content])
        raise ToolNotFound(call.name, call.target()[0])

    async def _tool(self, call: Call) -> Answer:
        if call.name in ANSWERS:
            return ANSWERS[call.name]
        match call.name:
            case "boom":
                raise RuntimeError(f"connection to postgres://u:{CANARY}@db failed")
            case "picky":
                raise InvalidArguments([ArgumentProblem(path="/n", expected="a number", got="nothing")], tool="picky")
            case "delete":
                return self._delete(call)
            case "slow" if call.client and call.client.report:
                await call.client.report(1, 2, "half")
                await asyncio.sleep(float(str(call.arguments.get("seconds", 0))))
            case _:
                pass
        return _text(call.caller.user or "nobody")

    def _delete(self, call: Call) -> Answer:
        back = answers(call, "shelf")
        match back.own, back.responses.get("sure"):
            case "asked", {"action": "accept"}:
                self.deleted.append(call.arguments)
                return _text("deleted")
            case "asked", {"action": str(action)}:
                return _text(f"not deleted: {action}")
            case _:
                return ask("shelf", {"sure": mcp_types.ElicitRequest(params=CONFIRM)}, "asked")


def _text(text: str, *, structured: object = None) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=text)], structured_content=structured)


ANSWERS: Mapping[str, Answer] = {
    "book": _text("Dune", structured={"title": "Dune"}),
    "books": CallToolResult(content=[], structured_content=["Dune", "Emma"]),
    "insist": ask("shelf", {"again": mcp_types.ElicitRequest(params=CONFIRM)}, None),
    "login": ask("shelf", {"page": mcp_types.ElicitRequest(params=CONSENT)}, None),
    "nonsense": mcp_types.CompleteResult(completion=mcp_types.Completion(values=[])),
    "stamped": CallToolResult(
        content=[],
        _meta={"io.modelcontextprotocol/serverInfo": {"name": "inner", "version": "1"}, "vendor/x": 1},
    ),
}
"""What some tools always answer."""


def _may_see(name: str, caller: Caller) -> bool:
    return name != "secret" or caller.user == "ann"


def many(count: int) -> list[Tool]:
    """Tools with names in an order that is not sorted."""
    schema = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}
    return [
        Tool(name=f"t{index * 7919 % count:05}", description="One of many", input_schema=schema)
        for index in range(count)
    ]


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncGenerator[str]:
    """The application on a port of this machine; the URL of its endpoint `/mcp`."""
    # by its protocol's number, else asyncio does not turn Nagle's delay off
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=1))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        finally:
            server.should_exit = True
            await task


async def say_yes(context: object, params: mcp_types.ElicitRequestParams) -> mcp_types.ElicitResult:
    """A person who agrees to everything."""
    return mcp_types.ElicitResult(action="accept", content={"why": "because"})


async def say_no(context: object, params: mcp_types.ElicitRequestParams) -> mcp_types.ElicitResult:
    """A person who agrees to nothing."""
    return mcp_types.ElicitResult(action="decline")


def text_of(result: CallToolResult) -> str:
    """The text of a result."""
    return "".join(part.text for part in result.content if isinstance(part, TextContent))
