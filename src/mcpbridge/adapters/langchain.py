"""`as_langchain`: a source's tools for LangChain and LangGraph."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from mcpbridge.adapters.calling import Asked, Told, call_for_model, missing, offered
from mcpbridge.dialects.model import ModelTool, for_model
from mcpbridge.dialects.rules import Provider
from mcpbridge.openapi.jsontext import is_object
from mcpbridge.source.base import ToolSource
from mcpbridge.tools import Caller, Json

if TYPE_CHECKING:
    from langchain_core.tools import StructuredTool

RESERVED = ("self", "config", "run_manager", "callbacks", "runtime", "state", "store")
"""Names of arguments that LangChain takes for itself: the model sees others."""


async def as_langchain(source: ToolSource, caller: Caller, *, provider: Provider = "openai") -> list[StructuredTool]:
    """The tools of one caller as they are now, as asynchronous `StructuredTool`s. The host enters the source.

    A failure is a tool message with the status `error`. A call that needs a yes is a LangGraph `interrupt` with the
    value `{"type": "tool_approval", "name", "args", "description"}`. It is resumed with `{"type": "approve"}`; anything
    else is a no. The graph needs a checkpointer for that. Outside of a graph nobody can be asked, and the call fails
    with `approval_required`.

    Raises: ConfigError where langchain-core is not installed.
    """
    try:
        from langchain_core.tools import StructuredTool
    except ImportError as error:
        raise missing("langchain-core", "langchain") from error
    return [
        StructuredTool(
            name=tool.name,
            description=tool.description,
            args_schema={**tool.schema},
            coroutine=_calling(source, caller, tool),
            handle_tool_error=True,
        )
        for tool in for_model(await offered(source, caller), provider, reserved=RESERVED).tools.values()
    ]


def _calling(source: ToolSource, caller: Caller, tool: ModelTool) -> Callable[..., Awaitable[str]]:
    from langchain_core.tools import ToolException

    async def call(**given: Any) -> str:
        outcome = await call_for_model(source, tool, caller, given)
        if isinstance(outcome, Asked):
            outcome = await _decided(source, caller, tool, given, outcome)
        if isinstance(outcome, Told) and outcome.failure is None:
            return outcome.text
        raise ToolException(outcome.text if isinstance(outcome, Told) else f"approval_required: {outcome.message}")

    return call


async def _decided(
    source: ToolSource, caller: Caller, tool: ModelTool, given: dict[str, Json], asked: Asked
) -> Told | Asked:
    """The outcome after a person was asked by an interrupt. On resuming, LangGraph runs the tool anew up to here."""
    try:
        from langgraph.types import interrupt

        said: object = interrupt(
            {"type": "tool_approval", "name": tool.name, "args": given, "description": asked.message}
        )
    except (ImportError, RuntimeError, KeyError):  # no LangGraph, or no graph around the tool
        return asked
    approved = said is True or (is_object(said) and said.get("type") == "approve")
    if not approved and asked.resume is None:
        return asked
    return await call_for_model(source, tool, caller, given, approved=approved, resume=asked.resume)
