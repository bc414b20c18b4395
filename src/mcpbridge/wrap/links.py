"""The URIs inside an answer, put under a slug as the listing has them. Pure."""

from __future__ import annotations

import mcp_types

from mcpbridge.source.base import Answer
from mcpbridge.wrap.naming import public_key


def outward(answer: Answer, slug: str) -> Answer:
    """The answer with the URIs of its resources, links and embedded resources as a client of the gateway names them."""
    match answer:
        case mcp_types.CallToolResult(content=blocks) if any(map(_has_uri, blocks)):
            return answer.model_copy(update={"content": [_block(block, slug) for block in blocks]})
        case mcp_types.ReadResourceResult():
            return answer.model_copy(update={"contents": [_renamed(part, slug) for part in answer.contents]})
        case mcp_types.GetPromptResult():
            return answer.model_copy(update={"messages": [_message(message, slug) for message in answer.messages]})
        case _:
            return answer


def _has_uri(block: mcp_types.ContentBlock) -> bool:
    return isinstance(block, mcp_types.ResourceLink | mcp_types.EmbeddedResource)


def _message(message: mcp_types.PromptMessage, slug: str) -> mcp_types.PromptMessage:
    return message.model_copy(update={"content": _block(message.content, slug)})


def _block(block: mcp_types.ContentBlock, slug: str) -> mcp_types.ContentBlock:
    if isinstance(block, mcp_types.ResourceLink):
        return block.model_copy(update={"uri": public_key("resource", slug, block.uri)})
    if isinstance(block, mcp_types.EmbeddedResource):
        return block.model_copy(update={"resource": _renamed(block.resource, slug)})
    return block


def _renamed(
    part: mcp_types.TextResourceContents | mcp_types.BlobResourceContents, slug: str
) -> mcp_types.TextResourceContents | mcp_types.BlobResourceContents:
    return part.model_copy(update={"uri": public_key("resource", slug, part.uri)})
