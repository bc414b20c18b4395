"""`as_openai_agents`: a source's tools for the OpenAI Agents SDK."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from mcpbridge.adapters.calling import Asked, call_for_model, missing, offered
from mcpbridge.dialects.model import ModelTool, for_model
from mcpbridge.dialects.rules import Provider
from mcpbridge.errors import BridgeError
from mcpbridge.openapi.jsontext import is_object
from mcpbridge.source.base import ToolSource
from mcpbridge.tools import Call, Caller, Json
from mcpbridge.wrap.validate import Validate

if TYPE_CHECKING:
    from agents import FunctionTool, RunContextWrapper
    from agents.tool_context import ToolContext


async def as_openai_agents(
    source: ToolSource, caller: Caller, *, provider: Provider = "openai-strict", asks: bool = True
) -> list[FunctionTool]:
    """The tools of one caller as they are now, as `FunctionTool`s. The host enters the source.

    A failure is text that the model reads. A call that the source's policy would ask about interrupts the run
    (`result.interruptions`); `state.approve` lets it run, `state.reject` does not. With `asks=False` no call does: for
    a source whose approver decides by itself, as `ask_host` does.

    Raises: ConfigError where openai-agents is not installed.
    """
    try:
        from agents import FunctionTool
    except ImportError as error:
        raise missing("openai-agents", "openai-agents") from error
    return [
        FunctionTool(
            name=tool.name,
            description=tool.description,
            params_json_schema=json.loads(json.dumps(tool.schema)),  # a copy: the SDK writes into it
            on_invoke_tool=_calling(source, caller, tool, asks=asks),
            strict_json_schema=provider == "openai-strict",
            needs_approval=_asking(source, caller, tool) if asks else False,
        )
        for tool in for_model(await offered(source, caller), provider).tools.values()
    ]


def _calling(
    source: ToolSource, caller: Caller, tool: ModelTool, *, asks: bool
) -> Callable[[ToolContext[Any], str], Awaitable[str]]:
    async def call(ctx: ToolContext[Any], text: str) -> str:
        approved = True if asks and ctx.is_tool_approved(tool.name, ctx.tool_call_id) else None
        given = _object(text)
        if given is None:
            return "invalid_arguments: the arguments are no JSON object\nCorrect them and call again."
        outcome = await call_for_model(source, tool, caller, given, approved=approved)
        return f"approval_required: {outcome.message}" if isinstance(outcome, Asked) else outcome.text

    return call


def _asking(
    source: ToolSource, caller: Caller, tool: ModelTool
) -> Callable[[RunContextWrapper[Any], dict[str, Any], str], Awaitable[bool]]:
    """Whether a call needs a yes, told without calling."""
    check = Validate(source).check

    async def asks(_ctx: RunContextWrapper[Any], given: dict[str, Any], _call_id: str) -> bool:
        try:
            call = Call(name=tool.tool.name, arguments=tool.arguments(given), caller=caller)
            check(tool.tool, call)
            verdicts = await source.explain(call.name, caller, call.arguments)
        except BridgeError:
            return False  # nobody is asked about a call that can't run: it will say what is wrong
        return any(verdict.code == "asks" for verdict in verdicts)

    return asks


def _object(text: str) -> dict[str, Json] | None:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return value if is_object(value) else None
