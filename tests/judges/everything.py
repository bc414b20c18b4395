"""What the MCP conformance suite asks a server for, as a source behind ours; the suite fixes names and texts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mcp_types as mcp
from mcp_types import CallToolResult, TextContent

from mcpbridge.errors import ToolNotFound
from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.lowlevel import to_server
from mcpbridge.server.run import serve_http
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import Call, Caller, Item, Kind, Prompt, Resource, ResourceTemplate, Tool

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

SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "json_schema_2020_12_tool": SCHEMA_2020,
    "test_x_mcp_header": {
        "type": "object",
        "properties": {"region": {"type": "string", "x-mcp-header": "Region"}, "query": {"type": "string"}},
        "required": ["region", "query"],
    },
}

PROMPTS: Mapping[str, Sequence[str]] = {
    "test_simple_prompt": [],
    "test_prompt_with_arguments": ["arg1", "arg2"],
    "test_prompt_with_embedded_resource": ["resourceUri"],
    "test_prompt_with_image": [],
    f"{MRTR}prompt": [],
}

TOOLS = [*CONTENT, *QUESTIONS, "test_tool_with_progress", "test_error_handling"]
TEMPLATES = "test://template/"


class Everything(ToolSource):
    """One source with what the suite asks for; what needs subscriptions, logging or tasks is not there."""

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        if kind == "tool":
            return [_tool(name) for name in TOOLS if name != f"{MRTR}prompt"]
        if kind == "resource":
            return [Resource(uri=f"test://static-{kind}", name=f"static {kind}") for kind in ("text", "binary")]
        if kind == "template":
            return [ResourceTemplate(uri_template=f"{TEMPLATES}{{id}}/data", name="template")]
        return [_prompt(name, wanted) for name, wanted in PROMPTS.items()]

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        if kind == "tool" and key in TOOLS:
            return _tool(key)
        raise ToolNotFound(key, kind)

    async def call(self, call: Call) -> Answer:
        if call.name in QUESTIONS:
            return _asked(call)
        answer = ANSWERS[call.kind](call)
        if answer is None:
            raise ToolNotFound(call.name, call.target()[0])
        if call.name == "test_tool_with_progress" and call.client and call.client.report:
            for step in (0, 50, 100):
                await call.client.report(step, 100, f"Completed step {step} of 100")
        return answer


def _prompt(name: str, wanted: Sequence[str]) -> Prompt:
    arguments = [{"name": each, "description": "An argument", "required": True} for each in wanted]
    return Prompt(name=name, description="A prompt of the conformance suite", arguments=arguments)


def _tool(name: str) -> Tool:
    schema = SCHEMAS.get(name, OBJECT)
    return Tool(name=name, description="A tool of the conformance suite", input_schema=schema)


def _asked(call: Call) -> Answer:
    """Asks round by round, and again whatever was not answered; the state is how many rounds are over."""
    rounds = QUESTIONS[call.name]
    given = call.input_responses or {}
    over = int(call.request_state or 0)
    if over < len(rounds) and set(rounds[over]) <= set(given):
        over += 1
    if over < len(rounds):
        return mcp.InputRequiredResult(input_requests=rounds[over], request_state=str(over))
    text = TextContent(text=f"User response: {dict(given)}")
    if call.kind == "prompt":
        return mcp.GetPromptResult(messages=[mcp.PromptMessage(role="user", content=text)])
    return CallToolResult(content=[text])


def _called(call: Call) -> Answer | None:
    if call.name == "test_error_handling":
        text = "This tool intentionally returns an error for testing"
        return CallToolResult(content=[TextContent(text=text)], is_error=True)
    if call.name == "test_tool_with_progress":
        return CallToolResult(content=[TextContent(text="done")])
    return CallToolResult(content=[*CONTENT[call.name]]) if call.name in CONTENT else None


def _read(call: Call) -> Answer | None:
    if call.name == "test://static-text":
        text = "This is the content of the static text resource."
    elif call.name.startswith(TEMPLATES):
        id_ = call.name.removeprefix(TEMPLATES).removesuffix("/data")
        text = f'{{"id":"{id_}","templateTest":true,"data":"Data for ID: {id_}"}}'
    elif call.name == "test://static-binary":
        blob = mcp.BlobResourceContents(uri=call.name, blob=PIXEL, mime_type="image/png")
        return mcp.ReadResourceResult(contents=[blob])
    else:
        return None
    return mcp.ReadResourceResult(contents=[mcp.TextResourceContents(uri=call.name, text=text, mime_type="text/plain")])


def _prompted(call: Call) -> Answer | None:
    given = call.arguments
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
    found = contents.get(call.name)
    if found is None:
        return None
    return mcp.GetPromptResult(messages=[mcp.PromptMessage(role="user", content=content) for content in found])


def _completed(call: Call) -> Answer:
    return mcp.CompleteResult(completion=mcp.Completion(values=["paris", "park", "party"], total=3, has_more=False))


ANSWERS: Mapping[str, Callable[[Call], Answer | None]] = {
    "tool": _called,
    "resource": _read,
    "prompt": _prompted,
    "completion": _completed,
}


async def main() -> None:
    async with Everything() as source:
        await serve_http(to_asgi(to_server(source, name="everything")), "127.0.0.1", int(sys.argv[1]))


if __name__ == "__main__":
    asyncio.run(main())
