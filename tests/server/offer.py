"""An MCP server on the SDK alone that offers all that a gateway has to pass on, over stdio or wherever it is put."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import anyio
import mcp_types as mcp
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ToolsListChanged,
)
from mcp.shared.message import ServerMessageMetadata
from mcp_types import CallToolResult, TextContent
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

Context = ServerRequestContext[Any, Any]

NOTE = "note:///a"
EMBEDDED = mcp.EmbeddedResource(resource=mcp.TextResourceContents(uri=NOTE, text="A"))
CONTENT: list[mcp.ContentBlock] = [
    TextContent(text="text"),
    mcp.ImageContent(data="aGk=", mime_type="image/png"),
    mcp.AudioContent(data="aGk=", mime_type="audio/wav"),
    mcp.ResourceLink(uri=NOTE, name="a"),
    EMBEDDED,
]
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"yes": {"type": "boolean"}}}
FORM = mcp.ElicitRequest(params=mcp.ElicitRequestFormParams(message="Sure?", requested_schema=SCHEMA))
PAGE = mcp.ElicitRequest(params=mcp.ElicitRequestURLParams(message="Go", url="https://a.example/", elicitation_id="1"))
SAMPLE = mcp.CreateMessageRequest(
    params=mcp.CreateMessageRequestParams(
        messages=[mcp.SamplingMessage(role="user", content=TextContent(text="Hi"))], max_tokens=9
    )
)
ROUNDS: dict[str, list[mcp.InputRequest]] = {
    "form": [FORM],
    "page": [PAGE],
    "sample": [SAMPLE],
    "roots": [mcp.ListRootsRequest()],
    "rounds": [FORM, SAMPLE, FORM],
}
RESULTS: dict[type[mcp.InputRequest], type[mcp.Result]] = {
    mcp.ElicitRequest: mcp.ElicitResult,
    mcp.CreateMessageRequest: mcp.CreateMessageResult,
    mcp.ListRootsRequest: mcp.ListRootsResult,
}


class Offer(Server[dict[str, Any]]):
    """`counts` holds what happened here."""

    def __init__(self) -> None:
        self.bus = InMemorySubscriptionBus()
        self.counts: Counter[str] = Counter()
        self.tools = [*ROUNDS, "content", "structured", "meta", "progress", "log", "hang", "counts", "change", "touch"]
        super().__init__(
            "offer",
            version="1",
            on_list_tools=self.list_tools,
            on_call_tool=self.call_tool,
            on_list_resources=_resources,
            on_list_resource_templates=_templates,
            on_read_resource=_read,
            on_subscribe_resource=_done,
            on_unsubscribe_resource=_done,
            on_subscriptions_listen=ListenHandler(self.bus),
            on_list_prompts=_prompts,
            on_get_prompt=_prompt,
            on_completion=_complete,
        )
        self.add_request_handler("logging/setLevel", mcp.SetLevelRequestParams, _done)

    def create_initialization_options(self, *words: Any, **named: Any) -> Any:
        return super().create_initialization_options(NotificationOptions(True, True, True))

    async def list_tools(self, ctx: Context, params: object) -> mcp.ListToolsResult:
        return mcp.ListToolsResult(tools=[mcp.Tool(name=name, input_schema={"type": "object"}) for name in self.tools])

    async def call_tool(
        self, ctx: Context, params: mcp.CallToolRequestParams
    ) -> CallToolResult | mcp.InputRequiredResult:
        if params.name in ROUNDS:
            return await _ask(ctx, params)
        match params.name:
            case "content":
                return CallToolResult(content=CONTENT)
            case "structured":
                return CallToolResult(content=[TextContent(text="{}")], structured_content={"a": [1]})
            case "meta":
                return CallToolResult(content=[], _meta={"vendor/x": 1})
            case "progress":
                await ctx.session.report_progress(1, 2, "half")
            case "log":
                await _log(ctx)
            case "hang":
                await self._hang()
            case "change":
                await self._change(ctx)
            case "touch":
                await self.bus.publish(ResourceUpdated(uri=NOTE))
                await ctx.session.send_resource_updated(NOTE)
            case _:
                pass
        return CallToolResult(content=[TextContent(text=f"{dict(self.counts)}")])

    async def _hang(self) -> None:
        self.counts["hanging"] += 1
        try:
            await anyio.sleep_forever()
        finally:
            self.counts["cancelled"] += 1

    async def _change(self, ctx: Context) -> None:
        self.tools.append(f"new{len(self.tools)}")
        for event in (ToolsListChanged(), ResourcesListChanged(), PromptsListChanged()):
            await self.bus.publish(event)
        await ctx.session.send_tool_list_changed()


async def _ask(ctx: Context, params: mcp.CallToolRequestParams) -> CallToolResult | mcp.InputRequiredResult:
    """By results in the newer era, by requests in the middle of the call in the older one."""
    rounds = ROUNDS[params.name]
    if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
        over = int(params.request_state or 0) + bool(params.input_responses)
        if over < len(rounds):
            return mcp.InputRequiredResult(input_requests={"q": rounds[over]}, request_state=str(over))
    else:
        for request in rounds:
            related = ServerMessageMetadata(related_request_id=ctx.request_id)
            await ctx.session.send_request(request, RESULTS[type(request)], metadata=related)
    return CallToolResult(content=[TextContent(text="answered")])


async def _log(ctx: Context) -> None:
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS or mcp.LOG_LEVEL_META_KEY in (ctx.meta or {}):
        params = mcp.LoggingMessageNotificationParams(level="info", data={"a": 1}, logger="offer")
        await ctx.session.send_notification(mcp.LoggingMessageNotification(params=params), ctx.request_id)


async def _done(ctx: Context, params: object) -> mcp.EmptyResult:
    return mcp.EmptyResult()


async def _resources(ctx: Context, params: object) -> mcp.ListResourcesResult:
    return mcp.ListResourcesResult(resources=[mcp.Resource(uri=NOTE, name="a")])


async def _templates(ctx: Context, params: object) -> mcp.ListResourceTemplatesResult:
    template = mcp.ResourceTemplate(uri_template="note:///{id}", name="note")
    return mcp.ListResourceTemplatesResult(resource_templates=[template])


async def _read(ctx: Context, params: mcp.ReadResourceRequestParams) -> mcp.ReadResourceResult:
    return mcp.ReadResourceResult(contents=[mcp.BlobResourceContents(uri=params.uri, blob="aGk=")])


async def _prompts(ctx: Context, params: object) -> mcp.ListPromptsResult:
    return mcp.ListPromptsResult(prompts=[mcp.Prompt(name="greet", arguments=[mcp.PromptArgument(name="who")])])


async def _prompt(ctx: Context, params: mcp.GetPromptRequestParams) -> mcp.GetPromptResult:
    return mcp.GetPromptResult(messages=[mcp.PromptMessage(role="user", content=EMBEDDED)])


async def _complete(ctx: Context, params: mcp.CompleteRequestParams) -> mcp.CompleteResult:
    ref = params.ref.name if isinstance(params.ref, mcp.PromptReference) else params.ref.uri
    return mcp.CompleteResult(completion=mcp.Completion(values=[f"{ref} {params.argument.value}"]))


async def main() -> None:
    offer = Offer()
    async with stdio_server() as (read, write):
        await offer.run(read, write, offer.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(main())
