"""A shelf that tells of its changes, logs, and can be listened to by clients of both eras."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import mcp_types
from mcp import Client
from shelf import Shelf

from mcpbridge.errors import ToolNotFound
from mcpbridge.source.base import Answer, Listener
from mcpbridge.tools import LOG_LEVELS, Call, Caller, Item, Kind, Resource, Tool

PLACE = "shelf:///a"


class Teller(Shelf):
    """`put` and `touch` change it and tell; the tool `quiet` logs one line of each level."""

    def __init__(self) -> None:
        super().__init__()
        self.listeners: list[Listener] = []
        self.alone = asyncio.Event()
        self.subscribers: dict[str, list[Callable[[], None]]] = {}
        self.edge: float | None = None
        self.gone: set[str | None] = set()

    def watch(self, listener: Listener) -> Callable[[], None]:
        self.listeners.append(listener)
        self.alone.clear()

        def end() -> None:
            self.listeners.remove(listener)
            self.alone.set()

        return end

    def holds_until(self, caller: Caller) -> float | None:
        return self.edge

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        if kind == "resource" and key == PLACE and caller.user not in self.gone:
            return Resource(uri=key)
        return await super().get(kind, key, caller)

    async def subscribe(self, uri: str, caller: Caller, listener: Callable[[], None]) -> Callable[[], None]:
        if uri != PLACE:
            raise ToolNotFound(uri, "resource")
        self.subscribers.setdefault(uri, []).append(listener)
        return lambda: self.subscribers[uri].remove(listener)

    async def call(self, call: Call) -> Answer:
        if call.name == "quiet" and call.client and call.client.log:
            for level in LOG_LEVELS:
                await call.client.log(level, {"said": level}, "shelf")
        return await super().call(call)

    def put(self, name: str) -> None:
        """A tool more."""
        self.tools[name] = Tool(name=name)
        self.tell("tool")

    def tell(self, kind: Kind) -> None:
        """Says that a listing may have changed."""
        for listener in tuple(self.listeners):
            listener(kind)

    def touch(self, uri: str = PLACE) -> None:
        """Says that a resource changed."""
        for listener in tuple(self.subscribers.get(uri, ())):
            listener()


@dataclass
class Ear:
    """What a client hears: names of events, in order."""

    heard: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])
    granted: mcp_types.SubscriptionFilter = field(default_factory=mcp_types.SubscriptionFilter)

    async def next(self) -> str:
        """The next event, within ten seconds."""
        return await asyncio.wait_for(self.heard.get(), 10)


NAMES = {
    "notifications/tools/list_changed": "ToolsListChanged",
    "notifications/resources/list_changed": "ResourcesListChanged",
    "notifications/prompts/list_changed": "PromptsListChanged",
    "notifications/resources/updated": "ResourceUpdated",
}


async def subscribe(client: Client, uri: str) -> None:
    """Subscribes in the way of the older era."""
    params = mcp_types.SubscribeRequestParams(uri=uri)
    await client.session.send_request(mcp_types.SubscribeRequest(params=params), mcp_types.EmptyResult)


@asynccontextmanager
async def listening(target: Any, era: str, *, uris: tuple[str, ...] = (PLACE,)) -> AsyncGenerator[tuple[Client, Ear]]:
    """A client that listens to everything, in the way of its era."""
    ear = Ear()

    async def hear(message: Any) -> None:
        if (name := NAMES.get(getattr(message, "method", ""))) is not None and era == "legacy":
            ear.heard.put_nowait(name)

    async with Client(target, mode=era, message_handler=hear) as client:
        if era == "legacy":
            for uri in uris:
                await subscribe(client, uri)
            yield client, ear
            return
        wanted = {"tools_list_changed": True, "resources_list_changed": True, "prompts_list_changed": True}
        async with client.listen(**wanted, resource_subscriptions=uris) as stream:
            ear.granted = stream.honored
            reading = asyncio.create_task(_read(stream, ear))
            try:
                yield client, ear
            finally:
                reading.cancel()


async def _read(stream: Any, ear: Ear) -> None:
    async for event in stream:
        ear.heard.put_nowait(type(event).__name__)
    ear.heard.put_nowait("end")
