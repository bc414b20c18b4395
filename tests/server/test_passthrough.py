"""The matrix of docs/passthrough.md: what goes through a gateway, for each pair of eras and of transports."""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import mcp_types as mcp
import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError
from offer import CONTENT, NOTE, Offer
from shelf import served, text_of
from teller import NAMES, subscribe

from mcpbridge.router import Router
from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.lowlevel import to_server
from mcpbridge.upstream.source import McpSource

DOC = Path(__file__).parents[2] / "docs/passthrough.md"
COLUMNS: Final = (
    "new client, new server",
    "old client, new server",
    "new client, old server",
    "old client, old server",
)
MODES: Final = {"new": "auto", "old": "legacy"}


@dataclass
class Heard:
    """What a client heard by itself, and when it heard something."""

    counts: Counter[str] = field(default_factory=Counter[str])
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, name: str) -> None:
        self.counts[name] += 1
        self.news.set()

    async def wait(self, name: str) -> bool:
        async with asyncio.timeout(20):
            while not self.counts[name]:
                self.news.clear()
                await self.news.wait()
        return True


Check: TypeAlias = Callable[[Client, Heard], Awaitable[bool]]


def _answers(tool: str) -> Check:
    async def check(client: Client, heard: Heard) -> bool:
        result = await client.call_tool(f"up__{tool}", {})
        if not result.is_error:
            return text_of(result) == "answered"
        assert "can't be put to this client" in text_of(result), text_of(result)
        return False

    return check


async def _content(client: Client, heard: Heard) -> bool:
    blocks = (await client.call_tool("up__content", {})).content
    link, embedded = blocks[3], blocks[4]
    assert isinstance(link, mcp.ResourceLink)
    assert isinstance(embedded, mcp.EmbeddedResource)
    assert link.uri == embedded.resource.uri == f"up+{NOTE}"
    return blocks[:3] == CONTENT[:3]


async def _structured(client: Client, heard: Heard) -> bool:
    return bool((await client.call_tool("up__structured", {})).structured_content == {"a": [1]})


async def _meta(client: Client, heard: Heard) -> bool:
    return "vendor/x" in ((await client.call_tool("up__meta", {})).meta or {})


async def _progress(client: Client, heard: Heard) -> bool:
    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.note(f"progress {progress:g} of {total:g}: {message}" if total else "progress")

    await client.call_tool("up__progress", {}, progress_callback=hear)
    return await heard.wait("progress 1 of 2: half")


async def _log(client: Client, heard: Heard) -> bool:
    await client.call_tool("up__log", {})
    return await heard.wait("log info {'a': 1} offer")


async def _cancel(client: Client, heard: Heard) -> bool:
    call = asyncio.create_task(client.call_tool("up__hang", {}))
    await _counted(client, "'hanging': 1")
    call.cancel()
    with suppress(asyncio.CancelledError, MCPError):
        await call
    await _counted(client, "'cancelled': 1")
    return True


async def _counted(client: Client, what: str) -> None:
    async with asyncio.timeout(20):
        while what not in text_of(await client.call_tool("up__counts", {})):
            pass


async def _resource(client: Client, heard: Heard) -> bool:
    assert [item.uri for item in (await client.list_resources()).resources] == [f"up+{NOTE}"]
    content = (await client.read_resource(f"up+{NOTE}")).contents[0]
    return isinstance(content, mcp.BlobResourceContents) and content.uri == f"up+{NOTE}"


async def _template(client: Client, heard: Heard) -> bool:
    listed = (await client.list_resource_templates()).resource_templates
    assert [item.uri_template for item in listed] == ["up+note:///{id}"]
    return (await client.read_resource("up+note:///b")).contents[0].uri == "up+note:///b"


async def _prompt(client: Client, heard: Heard) -> bool:
    content = (await client.get_prompt("up__greet", {"who": "Ann"})).messages[0].content
    return isinstance(content, mcp.EmbeddedResource) and content.resource.uri == f"up+{NOTE}"


async def _completion(client: Client, heard: Heard) -> bool:
    argument = {"name": "who", "value": "A"}
    prompt = await client.complete(mcp.PromptReference(name="up__greet"), argument)
    template = await client.complete(mcp.ResourceTemplateReference(uri="up+note:///{id}"), argument)
    return [prompt.completion.values, template.completion.values] == [["greet A"], ["note:///{id} A"]]


async def _news(client: Client, heard: Heard) -> bool:
    async with _listening(client, heard):
        await client.list_tools()
        await client.call_tool("up__change", {})
        return await heard.wait("ToolsListChanged")


async def _update(client: Client, heard: Heard) -> bool:
    async with _listening(client, heard, f"up+{NOTE}"):
        await client.call_tool("up__touch", {})
        return await heard.wait("ResourceUpdated")


@asynccontextmanager
async def _listening(client: Client, heard: Heard, *uris: str) -> AsyncGenerator[None]:
    """Older clients hear on their connection, newer ones on a stream."""
    if client.protocol_version < "2026":
        for uri in uris:
            await subscribe(client, uri)
        yield
        return
    async with client.listen(tools_list_changed=True, resource_subscriptions=uris) as stream:
        assert [*(stream.honored.resource_subscriptions or ())] == [*uris]
        yield


CHECKS: Mapping[str, Check] = {
    "Content of every type, links rewritten": _content,
    "Structured content": _structured,
    "Metadata of the server's own": _meta,
    "Progress": _progress,
    "Log messages": _log,
    "Cancellation": _cancel,
    "A question with a form": _answers("form"),
    "A question with a URL": _answers("page"),
    "Sampling": _answers("sample"),
    "Roots": _answers("roots"),
    "Several rounds in one call": _answers("rounds"),
    "Resources": _resource,
    "Resource templates": _template,
    "Prompts": _prompt,
    "Completions": _completion,
    "Changes of listings": _news,
    "Updates of resources": _update,
}


def _told() -> Mapping[str, Mapping[str, bool]]:
    """The table of the document: for each column, whether a feature goes through."""
    rows = re.findall(r"^\| (.+?) \|((?: (?:yes|no) \|){4})$", DOC.read_text("utf-8"), re.MULTILINE)
    cells = {name: [cell.strip() == "yes" for cell in row.strip("|").split("|")] for name, row in rows}
    return {column: {name: row[place] for name, row in cells.items()} for place, column in enumerate(COLUMNS)}


@asynccontextmanager
async def _upstream(transport: str, mode: str) -> AsyncGenerator[McpSource]:
    offer = Offer()
    if transport == "stdio":
        command = StdioServerParameters(command=sys.executable, args=[str(Path(__file__).with_name("offer.py"))])
        yield McpSource(command, mode=mode)
    elif transport == "http":
        async with served(offer.streamable_http_app()) as url:
            yield McpSource(url, mode=mode)
    else:
        yield McpSource(offer, mode=mode)


@asynccontextmanager
async def _client(transport: str, server: Any, mode: str, heard: Heard) -> AsyncGenerator[Client]:
    async def elicit(context: object, params: mcp.ElicitRequestParams) -> mcp.ElicitResult:
        form = isinstance(params, mcp.ElicitRequestFormParams)
        return mcp.ElicitResult(action="accept", content={"yes": True} if form else None)

    async def sample(context: object, params: mcp.CreateMessageRequestParams) -> mcp.CreateMessageResult:
        return mcp.CreateMessageResult(role="assistant", content=mcp.TextContent(text="Hello"), model="m")

    async def roots(context: object) -> mcp.ListRootsResult:
        return mcp.ListRootsResult(roots=[])

    async def log(params: mcp.LoggingMessageNotificationParams) -> None:
        heard.note(f"log {params.level} {params.data} {params.logger}")

    async def hear(message: Any) -> None:
        heard.note(NAMES.get(getattr(message, "method", ""), "other"))

    options: dict[str, Any] = {
        "mode": mode,
        "elicitation_callback": elicit,
        "sampling_callback": sample,
        "list_roots_callback": roots,
        "logging_callback": log,
        "message_handler": hear,
        "log_level": "debug" if mode == "auto" else None,
    }
    if transport == "memory":
        async with Client(server, **options) as client:
            yield client
    else:
        async with served(to_asgi(server)) as url, Client(url, **options) as client:
            yield client


@pytest.mark.req("UP-06", "UP-07", "UP-08")
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize(
    ("near", "far"), [("memory", "memory"), ("memory", "stdio"), ("memory", "http"), ("http", "http")]
)
async def test_what_the_table_says_goes_through_does(column: str, near: str, far: str) -> None:
    client_era, server_era = (MODES[word] for word in re.findall(r"new|old", column))
    heard = Heard()
    async with (
        _upstream(far, server_era) as source,
        Router({"up": source}) as router,
        _client(near, to_server(router, name="gateway", pause=0), client_era, heard) as client,
    ):
        await client.list_tools()
        through = {name: await check(client, heard) for name, check in CHECKS.items()}
    assert through == _told()[column]
