"""`as_pydantic_ai`: a source as a toolset of Pydantic AI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from mcpbridge.adapters.calling import Asked, call_for_model, missing, offered
from mcpbridge.dialects.model import ModelTool, for_model
from mcpbridge.dialects.rules import Provider
from mcpbridge.source.base import ToolSource
from mcpbridge.tools import Caller

if TYPE_CHECKING:
    from pydantic_ai import RunContext
    from pydantic_ai.toolsets import AbstractToolset


def as_pydantic_ai(source: ToolSource, caller: Caller, *, provider: Provider = "openai") -> AbstractToolset[Any]:
    """A toolset with the tools of one caller, listed anew in each step of a run. The host enters the source.

    Arguments that do not fit are a `ModelRetry`, failures a `ToolFailed`. A call that needs a yes is a deferred tool:
    the run ends with `DeferredToolRequests`, whose `metadata` hold the question. Give them back with the decision, by
    `requests.build_results(approvals=…, metadata=requests.metadata)`: then the yes is for exactly what was shown.
    Without them the question is asked once more, inside, and the decision answers it.

    `provider` says whose rules the definitions follow; Pydantic AI adapts them further to its model.

    Raises: ConfigError where pydantic-ai is not installed.
    """
    try:
        from pydantic_ai import Tool
        from pydantic_ai.toolsets import DynamicToolset, FunctionToolset
    except ImportError as error:
        raise missing("pydantic-ai", "pydantic-ai") from error

    async def listed(_ctx: RunContext[Any]) -> FunctionToolset[Any]:
        tools = for_model(await offered(source, caller), provider).tools.values()
        return FunctionToolset(
            [
                Tool[Any].from_schema(
                    _calling(source, caller, tool), tool.name, tool.description, {**tool.schema}, takes_ctx=True
                )
                for tool in tools
            ]
        )

    return DynamicToolset(listed)


def _calling(source: ToolSource, caller: Caller, tool: ModelTool) -> Callable[..., Awaitable[str]]:
    from pydantic_ai import ApprovalRequired, ModelRetry, ToolFailed

    async def call(ctx: RunContext[Any], /, **given: Any) -> str:
        approved = True if ctx.tool_call_approved else None
        kept: dict[str, Any] = ctx.tool_call_metadata or {}
        outcome = await call_for_model(source, tool, caller, given, approved=approved, resume=kept.get("resume"))
        if isinstance(outcome, Asked):
            question = {"message": outcome.message, "approval": outcome.approval, "resume": outcome.resume}
            raise ApprovalRequired(metadata=question)
        if outcome.failure is None:
            return outcome.text
        if outcome.failure.code == "invalid_arguments":
            raise ModelRetry(outcome.text)
        raise ToolFailed(outcome.text)

    return call
