"""`Functions`: a host's own Python functions as tools."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mcp_types
import pydantic_core

from mcpbridge.errors import ConfigError, Failure, InvalidArguments, ToolNotFound
from mcpbridge.source.answer import failed
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import Access, Call, Caller, Item, Kind, Origin, Tool
from mcpbridge.upstream.signature import Signature, read_signature

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    tool: Tool
    signature: Signature
    function: Callable[..., Any]


class Functions(ToolSource):
    """Each function is a tool: its name, its docstring, its annotated parameters.

    Functions count as writing; give those that only read as `reads`. Coroutine functions run in the event loop, plain
    ones in a thread, where they can't be stopped. A function may give text, JSON, a pydantic model, a dataclass or
    an MCP result. One that raises gives `function_failed`; what it raised is logged and told to nobody. It may raise
    InvalidArguments itself to refuse its arguments.

    Raises: ConfigError for a function that can't be a tool, or two of one name.
    """

    def __init__(self, *functions: Callable[..., Any], reads: Sequence[Callable[..., Any]] = ()) -> None:
        self._entries: dict[str, _Entry] = {}
        for function in functions:
            self._add(function, "write")
        for function in reads:
            self._add(function, "read")
        self._tools = tuple(entry.tool for entry in self._entries.values())

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        return self._tools if kind == "tool" else ()

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        if kind != "tool" or key not in self._entries:
            raise ToolNotFound(key, kind)
        return self._entries[key].tool

    async def call(self, call: Call) -> Answer:
        kind, name = call.target()
        if kind != "tool" or name not in self._entries:
            raise ToolNotFound(name, kind)
        entry = self._entries[name]
        arguments = entry.signature.read(call.arguments, call.caller)
        try:
            return _answer(await _run(entry.function, arguments))
        except InvalidArguments:
            raise
        except Exception:  # whatever a host's function raises is its answer: a failure that says nothing of its inside
            logger.exception("the function %r failed in call %s", name, call.id)
        return failed(
            Failure(
                code="function_failed",
                message=f"{name!r} failed",
                hint=f"The gateway's log has the reason under {call.id}.",
                sent="yes",
                id=call.id,
            )
        )

    def _add(self, function: Callable[..., Any], access: Access) -> None:
        signature = read_signature(function)
        if signature.name in self._entries:
            raise ConfigError(f"two functions are called {signature.name!r}: give one of them another name")
        tool = Tool(
            name=signature.name,
            description=signature.description,
            input_schema=signature.schema,
            access=access,
            origin=Origin(name=signature.name, trusted=True),
            extra={"annotations": {"readOnlyHint": access == "read"}},
        )
        self._entries[signature.name] = _Entry(tool=tool, signature=signature, function=function)


async def _run(function: Callable[..., Any], arguments: Any) -> object:
    if inspect.iscoroutinefunction(function):
        return await function(**arguments)
    result = await asyncio.to_thread(function, **arguments)
    return await result if inspect.isawaitable(result) else result


def _answer(result: object) -> Answer:
    if isinstance(result, mcp_types.CallToolResult | mcp_types.InputRequiredResult):
        return result
    if result is None or isinstance(result, str):
        blocks = [mcp_types.TextContent(text=result)] if result else []
        return mcp_types.CallToolResult(content=[*blocks])
    text = pydantic_core.to_json(result, inf_nan_mode="null").decode()
    value = json.loads(text)
    return mcp_types.CallToolResult(
        content=[mcp_types.TextContent(text=text)],
        structured_content=value if isinstance(value, dict | list) else None,
    )
