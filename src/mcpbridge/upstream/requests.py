"""A `Call` as MCP's request, and MCP's result as an answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import mcp_types
from mcp_types import LOG_LEVEL_META_KEY
from pydantic import TypeAdapter, ValidationError

from mcpbridge.errors import ArgumentProblem, Failure, InvalidArguments
from mcpbridge.source.answer import Answers, ask
from mcpbridge.source.base import Answer
from mcpbridge.tools import Call, Json
from mcpbridge.upstream.items import own_meta
from mcpbridge.upstream.questions import labelled

STATE_KEY = "upstream"
"""The layer's name in the state of a question (see `mcpbridge.source.answer`)."""

Request: TypeAlias = (
    mcp_types.CallToolRequest | mcp_types.ReadResourceRequest | mcp_types.GetPromptRequest | mcp_types.CompleteRequest
)

Result: TypeAlias = (
    mcp_types.CallToolResult
    | mcp_types.ReadResourceResult
    | mcp_types.GetPromptResult
    | mcp_types.CompleteResult
    | mcp_types.InputRequiredResult
)

_RESULTS: Mapping[str, TypeAdapter[Result]] = {
    "tool": TypeAdapter(mcp_types.CallToolResult | mcp_types.InputRequiredResult),
    "resource": TypeAdapter(mcp_types.ReadResourceResult | mcp_types.InputRequiredResult),
    "prompt": TypeAdapter(mcp_types.GetPromptResult | mcp_types.InputRequiredResult),
    "completion": TypeAdapter(mcp_types.CompleteResult),
}


def request_for(call: Call, back: Answers) -> tuple[Request, TypeAdapter[Result]]:
    """The request, built afresh from the call alone, and what reads its result. `back` is what an earlier round left.

    Raises: InvalidArguments for what MCP can't carry.
    """
    rounds: dict[str, Json] = {}
    if call.client is not None and call.client.log is not None and call.client.log_level is not None:
        rounds["_meta"] = {LOG_LEVEL_META_KEY: call.client.log_level}
    if back.own is not None:
        rounds |= {"requestState": back.own["state"], "inputResponses": dict(back.responses) or None}
    elif call.request_state is None and call.input_responses:
        rounds["inputResponses"] = dict(call.input_responses)  # unasked: what they are worth is the upstream's to say
    try:
        return _request(call, rounds), _RESULTS[call.kind]
    except ValidationError as error:
        problems = [
            ArgumentProblem(path="/" + "/".join(map(str, each["loc"])), expected=each["msg"], got="something else")
            for each in error.errors(include_input=False, include_url=False)
        ]
        raise InvalidArguments(problems, tool=call.name) from None


def answer_for(result: Result, where: str) -> Answer | Failure:
    """The answer that a result means; a question of the upstream's becomes one of ours, with its state inside.

    A question that is not passed on is a failure (see `mcpbridge.upstream.questions`).
    """
    if isinstance(result, mcp_types.InputRequiredResult):
        shown = labelled(result.input_requests or {}, where)
        return shown if isinstance(shown, Failure) else ask(STATE_KEY, shown, {"state": result.request_state})
    return result.model_copy(update={"meta": own_meta(result.meta)})


def _request(call: Call, rounds: Mapping[str, Json]) -> Request:
    params: dict[str, Any] = {"name": call.name, "arguments": dict(call.arguments), **rounds}
    if call.kind == "tool":
        return mcp_types.CallToolRequest(params=mcp_types.CallToolRequestParams.model_validate(params))
    if call.kind == "prompt":
        return mcp_types.GetPromptRequest(params=mcp_types.GetPromptRequestParams.model_validate(params))
    if call.kind == "resource":
        read = mcp_types.ReadResourceRequestParams.model_validate({"uri": call.name, **rounds})
        return mcp_types.ReadResourceRequest(params=read)
    return mcp_types.CompleteRequest(params=_completion(call))


def _completion(call: Call) -> mcp_types.CompleteRequestParams:
    wanted = call.arguments
    prompt = wanted.get("ref") == "prompt"
    ref = {"type": "ref/prompt", "name": call.name} if prompt else {"type": "ref/resource", "uri": call.name}
    argument = {"name": wanted.get("argument"), "value": wanted.get("value")}
    context: dict[str, Json] = {"arguments": wanted.get("context") or None}
    return mcp_types.CompleteRequestParams.model_validate({"ref": ref, "argument": argument, "context": context})
