"""`as_langchain`: a source's tools for LangChain and LangGraph."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
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
    value `{"type": "tool_approval", "id", "name", "args", "description"}`. `{"type": "approve", "id": …}` with the same
    id resumes it as a yes, anything else as a no. The graph needs a checkpointer for that. Outside of a graph nobody
    can be asked, and the call fails with `approval_required`; so does a second call that asks in one node, as a bare
    `ToolNode` runs them (`create_agent` gives each call a node of its own).

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
    """The outcome after a person was asked by an interrupt. On resuming, LangGraph runs the node anew up to here.

    It gives answers out in the order in which tools ask, whichever they were meant for, and runs again what has run
    beside a tool that still asks. So an answer has to name its question, and one call of a node asks.
    """
    this = hashlib.sha256(json.dumps([tool.name, given], sort_keys=True, default=str).encode()).hexdigest()[:16]
    shown = {"type": "tool_approval", "id": this, "name": tool.name, "args": given, "description": asked.message}
    try:
        from langgraph.config import get_config
        from langgraph.types import interrupt

        place = get_config().get("configurable", {})
        node = (str(place["thread_id"]), str(place["checkpoint_ns"]))
        if _asking(node, this) != this:
            return replace(asked, message=f"another call beside it asks: call {tool.name} again, alone")
        said: object = interrupt(shown)
    except (ImportError, RuntimeError, KeyError):  # no LangGraph, or no graph around the tool
        return asked
    _ASKED[node] = _ANSWERED
    approved = is_object(said) and said.get("type") == "approve"
    if is_object(said) and approved and said.get("id") != this:
        return replace(asked, message=f"the answer names another question: its 'id' has to be {this!r}")
    if not approved and asked.resume is None:
        return asked
    return await call_for_model(source, tool, caller, given, approved=approved, resume=asked.resume)


_ANSWERED = ""
_NODES = 10_000
_ASKED: dict[tuple[str, str], str] = {}
"""The question of each run of a node, by its thread and its task; the oldest are forgotten."""


def _asking(node: tuple[str, str], this: str) -> str:
    """The question that a node asks: the first one, until it is answered."""
    if node not in _ASKED and len(_ASKED) >= _NODES:
        del _ASKED[next(iter(_ASKED))]
    return _ASKED.setdefault(node, this)
