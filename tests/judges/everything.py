"""All that the MCP conformance suite asks a server for, on the SDK alone: the suite fixes names and texts.

It is judged by itself and behind a gateway (`gateway.py`), over HTTP at the port given.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import mcp_types as mcp
import uvicorn
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import CallToolResult, TextContent
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SILENCE = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA=="
OBJECT: dict[str, Any] = {"type": "object", "properties": {}}
MRTR = "test_input_required_result_"


def _form(message: str, properties: Mapping[str, Any]) -> mcp.ElicitRequest:
    schema: dict[str, Any] = {"type": "object", "properties": dict(properties)}
    return mcp.ElicitRequest(params=mcp.ElicitRequestFormParams(message=message, requested_schema=schema))


def _sample(text: str) -> mcp.CreateMessageRequest:
    message = mcp.SamplingMessage(role="user", content=TextContent(text=text))
    return mcp.CreateMessageRequest(params=mcp.CreateMessageRequestParams(messages=[message], max_tokens=100))


def _embedded(uri: str, text: str) -> mcp.EmbeddedResource:
    return mcp.EmbeddedResource(resource=mcp.TextResourceContents(uri=uri, text=text, mime_type="text/plain"))


IMAGE = mcp.ImageContent(data=PIXEL, mime_type="image/png")
NAME = {"name": {"type": "string", "description": "Your name"}}
COLORS = [{"const": "value1", "title": "First Option"}, {"const": "value2", "title": "Second Option"}]
DEFAULTS: dict[str, Any] = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
ENUMS: dict[str, Any] = {
    "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
    "titledSingle": {"type": "string", "oneOf": COLORS},
    "legacyEnum": {"type": "string", "enum": ["opt1", "opt2"], "enumNames": ["Option One", "Option Two"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2"]}},
    "titledMulti": {"type": "array", "items": {"anyOf": COLORS}},
}
SCHEMA_2020: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}

CONTENT: Mapping[str, Sequence[mcp.ContentBlock]] = {
    "test_simple_text": [TextContent(text="This is a simple text response for testing.")],
    "test_image_content": [IMAGE],
    "test_audio_content": [mcp.AudioContent(data=SILENCE, mime_type="audio/wav")],
    "test_embedded_resource": [_embedded("test://embedded-resource", "This is an embedded resource content.")],
    "test_multiple_content_types": [
        TextContent(text="Multiple content types test:"),
        IMAGE,
        _embedded("test://mixed-content-resource", '{"test":"data","value":123}'),
    ],
    "json_schema_2020_12_tool": [TextContent(text="ok")],
    "test_x_mcp_header": [TextContent(text="ok")],
}

QUESTIONS: Mapping[str, Sequence[mcp.InputRequests]] = {
    "test_elicitation": [{"ask": _form("Who are you?", {"username": {"type": "string"}, "email": {"type": "string"}})}],
    "test_elicitation_sep1034_defaults": [{"ask": _form("Please review", DEFAULTS)}],
    "test_elicitation_sep1330_enums": [{"ask": _form("Please select", ENUMS)}],
    "test_streaming_elicitation": [{"ask": _form("Go on?", {"ok": {"type": "boolean"}})}],
    "test_sampling": [{"ask": _sample("Test prompt for sampling")}],
    f"{MRTR}elicitation": [{"user_name": _form("What is your name?", NAME)}],
    f"{MRTR}sampling": [{"capital_question": _sample("What is the capital of France?")}],
    f"{MRTR}list_roots": [{"client_roots": mcp.ListRootsRequest()}],
    f"{MRTR}request_state": [{"confirm": _form("Please confirm", {"ok": {"type": "boolean"}})}],
    f"{MRTR}tampered_state": [{"confirm": _form("Please confirm", {"ok": {"type": "boolean"}})}],
    f"{MRTR}multi_round": [
        {"step1": _form("Step 1: What is your name?", NAME)},
        {"step2": _form("Step 2: What color?", {"color": {"type": "string"}})},
    ],
    f"{MRTR}multiple_inputs": [
        {"user_name": _form("What is your name?", NAME), "greeting": _sample("Hi"), "roots": mcp.ListRootsRequest()}
    ],
    f"{MRTR}capabilities": [{"ask": _sample("Hello")}],
    f"{MRTR}prompt": [{"user_context": _form("What context?", {"context": {"type": "string"}})}],
}

SCHEMAS: Mapping[str, dict[str, Any]] = {
    "json_schema_2020_12_tool": SCHEMA_2020,
    "test_x_mcp_header": {
        "type": "object",
        "properties": {"region": {"type": "string", "x-mcp-header": "Region"}, "query": {"type": "string"}},
        "required": ["region", "query"],
    },
}

PROMPTS: dict[str, Sequence[str]] = {
    "test_simple_prompt": [],
    "test_prompt_with_arguments": ["arg1", "arg2"],
    "test_prompt_with_embedded_resource": ["resourceUri"],
    "test_prompt_with_image": [],
    f"{MRTR}prompt": [],
}

TOOLS = [
    *CONTENT,
    *(name for name in QUESTIONS if name != f"{MRTR}prompt"),
    "test_tool_with_progress",
    "test_tool_with_logging",
    "test_logging_tool",
    "test_error_handling",
    "test_missing_capability",
    "test_trigger_tool_change",
    "test_trigger_prompt_change",
]
RESOURCES = {
    "test://static-text": "This is the content of the static text resource.",
    "test://watched-resource": "Watched resource content",
}
TEMPLATE = "test://template/"
EVERY_CHANGE = NotificationOptions(prompts_changed=True, resources_changed=True, tools_changed=True)
WANTED: Mapping[type[mcp.InputRequest], type[mcp.Result]] = {
    mcp.ElicitRequest: mcp.ElicitResult,
    mcp.CreateMessageRequest: mcp.CreateMessageResult,
    mcp.ListRootsRequest: mcp.ListRootsResult,
}

Context = ServerRequestContext[Any, Any]
BUS = InMemorySubscriptionBus()


class Everything(Server[dict[str, Any]]):
    """Tells older clients, too, that it tells of changes."""

    def create_initialization_options(self, *words: Any, **named: Any) -> Any:
        return super().create_initialization_options(EVERY_CHANGE)


async def list_tools(ctx: Context, params: object) -> mcp.ListToolsResult:
    description = "A tool of the conformance suite"
    tools = [mcp.Tool(name=name, description=description, input_schema=SCHEMAS.get(name, OBJECT)) for name in TOOLS]
    return mcp.ListToolsResult(tools=tools)


async def call_tool(ctx: Context, params: mcp.CallToolRequestParams) -> CallToolResult | mcp.InputRequiredResult:
    name = params.name
    if name in CONTENT:
        return CallToolResult(content=[*CONTENT[name]])
    if name in QUESTIONS:
        answered = await ask(ctx, params)
        return answered if isinstance(answered, mcp.InputRequiredResult) else CallToolResult(content=[answered])
    match name:
        case "test_tool_with_progress":
            for step in (0, 50, 100):
                await ctx.session.report_progress(step, 100, f"Completed step {step} of 100")
        case "test_tool_with_logging" | "test_logging_tool":
            for what in ("started", "processing data", "completed"):
                await log(ctx, f"Tool execution {what}")
        case "test_error_handling":
            text = TextContent(text="This tool intentionally returns an error for testing")
            return CallToolResult(content=[text], is_error=True)
        case "test_missing_capability":
            need(ctx, mcp.ClientCapabilities(sampling=mcp.SamplingCapability()))
        case "test_trigger_tool_change":
            TOOLS.append(f"test_dynamic_{len(TOOLS)}")
            await BUS.publish(ToolsListChanged())
            await ctx.session.send_tool_list_changed()
        case "test_trigger_prompt_change":
            PROMPTS[f"test_dynamic_{len(PROMPTS)}"] = []
            await BUS.publish(PromptsListChanged())
            await ctx.session.send_prompt_list_changed()
        case _:
            raise MCPError(code=mcp.INVALID_PARAMS, message=f"Unknown tool: {name}")
    return CallToolResult(content=[TextContent(text="done")])


async def log(ctx: Context, text: str) -> None:
    """In the way of its era: a newer client asks for it with the request."""
    if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS and mcp.LOG_LEVEL_META_KEY not in (ctx.meta or {}):
        return
    params = mcp.LoggingMessageNotificationParams(level="info", data=text)
    await ctx.session.send_notification(mcp.LoggingMessageNotification(params=params), ctx.request_id)


def need(ctx: Context, wanted: mcp.ClientCapabilities) -> None:
    """Refuses a client that did not declare what is wanted."""
    if not ctx.session.check_client_capability(wanted):
        data = {"requiredCapabilities": wanted.model_dump(by_alias=True, mode="json", exclude_none=True)}
        raise MCPError(code=mcp.MISSING_REQUIRED_CLIENT_CAPABILITY, message="The client lacks a capability", data=data)


async def ask(
    ctx: Context, params: mcp.CallToolRequestParams | mcp.GetPromptRequestParams
) -> TextContent | mcp.InputRequiredResult:
    """Asks round by round: by results, or an older client by requests in the middle of the call."""
    rounds = QUESTIONS[params.name]
    given: dict[str, Any] = dict((ctx.params or {}).get("inputResponses") or {})
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        for key, request in (pair for each in rounds for pair in each.items()):
            related = ServerMessageMetadata(related_request_id=ctx.request_id)
            answer = await ctx.session.send_request(request, WANTED[type(request)], metadata=related)
            given[key] = answer.model_dump(by_alias=True, mode="json", exclude_none=True)
        return TextContent(text=f"User response: {given}")
    over = int(params.request_state or 0)
    if over < len(rounds) and set(rounds[over]) <= set(given):
        over += 1
    if over < len(rounds):
        return mcp.InputRequiredResult(input_requests=able(ctx, rounds[over]), request_state=str(over))
    return TextContent(text=f"User response: {given}")


def able(ctx: Context, requests: mcp.InputRequests) -> mcp.InputRequests:
    """What this client can be asked of these."""
    declared = ctx.session.client_capabilities or mcp.ClientCapabilities()
    can = {
        mcp.ElicitRequest: declared.elicitation,
        mcp.CreateMessageRequest: declared.sampling,
        mcp.ListRootsRequest: declared.roots,
    }
    return {key: request for key, request in requests.items() if can[type(request)] is not None}


async def list_resources(ctx: Context, params: object) -> mcp.ListResourcesResult:
    uris = [*RESOURCES, "test://static-binary"]
    return mcp.ListResourcesResult(resources=[mcp.Resource(uri=uri, name=uri, description=uri) for uri in uris])


async def list_templates(ctx: Context, params: object) -> mcp.ListResourceTemplatesResult:
    template = mcp.ResourceTemplate(uri_template=f"{TEMPLATE}{{id}}/data", name="template")
    return mcp.ListResourceTemplatesResult(resource_templates=[template])


async def read(ctx: Context, params: mcp.ReadResourceRequestParams) -> mcp.ReadResourceResult:
    uri = params.uri
    if uri == "test://static-binary":
        blob = mcp.BlobResourceContents(uri=uri, blob=PIXEL, mime_type="image/png")
        return mcp.ReadResourceResult(contents=[blob])
    if uri.startswith(TEMPLATE):
        id_ = uri.removeprefix(TEMPLATE).removesuffix("/data")
        text = f'{{"id":"{id_}","templateTest":true,"data":"Data for ID: {id_}"}}'
    elif uri in RESOURCES:
        text = RESOURCES[uri]
    elif ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
        raise MCPError(code=mcp.INVALID_PARAMS, message=f"Unknown resource: {uri}")
    else:
        raise MCPError(code=-32002, message=f"Unknown resource: {uri}", data={"uri": uri})
    return mcp.ReadResourceResult(contents=[mcp.TextResourceContents(uri=uri, text=text, mime_type="text/plain")])


async def nothing(ctx: Context, params: object) -> mcp.EmptyResult:
    return mcp.EmptyResult()


async def list_prompts(ctx: Context, params: object) -> mcp.ListPromptsResult:
    return mcp.ListPromptsResult(
        prompts=[
            mcp.Prompt(
                name=name,
                description="A prompt of the conformance suite",
                arguments=[mcp.PromptArgument(name=each, description="An argument", required=True) for each in wanted],
            )
            for name, wanted in PROMPTS.items()
        ]
    )


async def get_prompt(ctx: Context, params: mcp.GetPromptRequestParams) -> mcp.GetPromptResult | mcp.InputRequiredResult:
    given = params.arguments or {}
    if params.name in QUESTIONS:
        answered = await ask(ctx, params)
        return answered if isinstance(answered, mcp.InputRequiredResult) else said(answered)
    contents: Mapping[str, Sequence[mcp.ContentBlock]] = {
        "test_simple_prompt": [TextContent(text="This is a simple prompt for testing.")],
        "test_prompt_with_arguments": [
            TextContent(text=f"Prompt with arguments: arg1='{given.get('arg1')}', arg2='{given.get('arg2')}'")
        ],
        "test_prompt_with_embedded_resource": [
            _embedded(given.get("resourceUri", "test://x"), "Embedded resource content for testing."),
            TextContent(text="Please process the embedded resource above."),
        ],
        "test_prompt_with_image": [IMAGE, TextContent(text="Please analyze the image above.")],
    }
    if params.name not in contents:
        raise MCPError(code=mcp.INVALID_PARAMS, message=f"Unknown prompt: {params.name}")
    return said(*contents[params.name])


def said(*contents: mcp.ContentBlock) -> mcp.GetPromptResult:
    return mcp.GetPromptResult(messages=[mcp.PromptMessage(role="user", content=content) for content in contents])


async def complete(ctx: Context, params: mcp.CompleteRequestParams) -> mcp.CompleteResult:
    return mcp.CompleteResult(completion=mcp.Completion(values=["paris", "park", "party"], total=3, has_more=False))


def everything() -> Server[dict[str, Any]]:
    """The server."""
    server = Everything(
        "everything",
        version="1",
        get_tool_input_schema=lambda name: SCHEMAS.get(name, OBJECT),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read,
        on_subscribe_resource=nothing,
        on_unsubscribe_resource=nothing,
        on_subscriptions_listen=ListenHandler(BUS),
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        on_completion=complete,
    )
    server.add_request_handler("logging/setLevel", mcp.SetLevelRequestParams, nothing)
    security = RequestStateSecurity(keys=[b"0" * 32])
    server.middleware.append(RequestStateBoundary(security, default_audience="everything"))
    return server


if __name__ == "__main__":
    app = everything().streamable_http_app()
    config = uvicorn.Config(app, port=int(sys.argv[1]), log_level="warning", http="h11")
    asyncio.run(uvicorn.Server(config).serve())
