"""A model's call of one tool, for every framework alike: arguments led back, questions apart from answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import mcp_types

from mcpbridge.dialects.model import ModelTool
from mcpbridge.errors import BridgeError, ConfigError, Failure
from mcpbridge.source.answer import error_of, failure_of
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import Call, Caller, ClientChannel, Json, Tool

ROUNDS = 10
"""How often one call may ask; MCP's clients stop there too."""

_FORM = ClientChannel(form=True)
_APPROVAL = re.compile(r"(?:[^./]+/)*approve\.approve")
"""The key of the question that `Approve` asks, whatever layers of ours are around it; no upstream's has this form."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A person has to say yes first.

    `message` is what to show, `approval` the id where the request waits in a queue of the gateway's. `resume` is the
    question itself, as JSON: whoever gives it back answers this question and no later one.
    """

    message: str
    approval: str = ""
    resume: Mapping[str, Json] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What the model is told, and the failure, where it is one."""

    text: str
    failure: Failure | None = None


async def offered(source: ToolSource, caller: Caller) -> Sequence[Tool]:
    """The tools that a model is given: those that the caller may call and that are listed."""
    return [tool for tool in await source.list_tools(caller) if tool.listed]


async def call_for_model(
    source: ToolSource,
    tool: ModelTool,
    caller: Caller,
    given: Mapping[str, Json],
    *,
    approved: bool | None = None,
    resume: Mapping[str, Json] | None = None,
) -> Told | Asked:
    """The outcome of a call with the arguments that a model gave. It raises nothing of ours.

    `approved` is what a person said of this call, None while nobody was asked.
    """
    try:
        call = Call(name=tool.tool.name, arguments=tool.arguments(given), caller=caller, client=_FORM)
        if resume is not None and approved is not None:
            call = _answered(call, resume, approved=approved)
        for _ in range(ROUNDS):
            answer = await source.call_tool(call)
            if not isinstance(answer, mcp_types.InputRequiredResult):
                return _outcome(answer, approved=approved)
            requests = answer.input_requests or {}
            question = {"keys": [*requests], "state": answer.request_state}
            if not requests or not all(_APPROVAL.fullmatch(key) for key in requests):
                return _failed(_unanswerable(tool))
            if approved is None:
                return Asked(message="\n".join(map(_message, requests.values())), resume=question)
            call = _answered(call, question, approved=approved)
    except BridgeError as error:
        return _failed(failure_of(error))
    return _failed(_unanswerable(tool))


def missing(framework: str, extra: str) -> ConfigError:
    """The error where a framework is not installed."""
    return ConfigError(f"{framework} is not installed: pip install 'mcpbridge[{extra}]'")


def _answered(call: Call, question: Mapping[str, Json], *, approved: bool) -> Call:
    said: Json = {"action": "accept", "content": {"approve": True}} if approved else {"action": "decline"}
    return replace(call, input_responses=dict.fromkeys(question["keys"], said), request_state=question["state"])


def _outcome(answer: Answer, *, approved: bool | None) -> Told | Asked:
    failure = error_of(answer)
    if failure is None:
        text = _text(answer)
        broken = isinstance(answer, mcp_types.CallToolResult) and answer.is_error
        return Told(text=text, failure=Failure(code="tool_error", message=text, sent="yes") if broken else None)
    if failure.code == "approval_required" and approved is None:
        return Asked(message=failure.message, approval=str(failure.details.get("approval", "")))
    return _failed(failure)


def _failed(failure: Failure) -> Told:
    hint = f"\n{failure.hint}" if failure.hint else ""
    return Told(text=f"{failure.code}: {failure.message}{hint}", failure=failure)


def _unanswerable(tool: ModelTool) -> Failure:
    return Failure(
        code="input_required",
        message=f"{tool.name!r} needs an answer from a person that can't be asked for here",
        hint="Ask the user for what is missing and call again with it, or choose another way.",
    )


def _message(request: mcp_types.InputRequest) -> str:
    params: Any = request.params
    return str(getattr(params, "message", ""))


def _text(answer: Answer) -> str:
    """A result as text: its own text blocks, and a line for each that is none."""
    blocks = answer.content if isinstance(answer, mcp_types.CallToolResult) else []
    return "\n".join(map(_line, blocks))


def _line(block: mcp_types.ContentBlock) -> str:
    match block:
        case mcp_types.TextContent():
            return block.text
        case mcp_types.EmbeddedResource(resource=mcp_types.TextResourceContents() as resource):
            return resource.text
        case mcp_types.ResourceLink():
            return f"[{block.name}]({block.uri})"
        case mcp_types.EmbeddedResource():
            return f"[{block.resource.mime_type or 'data'} at {block.resource.uri}]"
        case _:
            return f"[{block.mime_type}, {len(block.data) * 3 // 4} bytes]"
