"""`UnderWay`: the calls that wait for an upstream's answer in one session, for what it says and asks in between.

Over streamable HTTP it is known which call a message belongs to: the SDK hands on the context of the request. Over
stdio and SSE it is known only where there is one call; nothing is guessed, since the answer would go to a stranger's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import mcp_types
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import BaseModel, ValidationError

from mcpbridge.errors import Failure
from mcpbridge.tools import LOG_LEVELS, ClientChannel, LogLevel
from mcpbridge.upstream.questions import labelled

_M = TypeVar("_M", bound=BaseModel)


@dataclass(frozen=True, eq=False, slots=True)
class _Waiting:
    channel: ClientChannel
    deadline: asyncio.Timeout


_HERE: ContextVar[_Waiting | None] = ContextVar("mcpbridge_call", default=None)


class UnderWay:
    """The calls of one session. A person has `approval` seconds to answer; then a call has `deadline` seconds anew."""

    def __init__(self, where: str, *, approval: float, deadline: float) -> None:
        self._where = where
        self._approval = approval
        self._deadline = deadline
        self._waiting: list[_Waiting] = []
        self._level: LogLevel | None = None

    @contextmanager
    def call(self, channel: ClientChannel, deadline: asyncio.Timeout) -> Generator[None]:
        """A call is under way."""
        waiting = _Waiting(channel, deadline)
        self._waiting.append(waiting)
        token = _HERE.set(waiting)
        try:
            yield
        finally:
            _HERE.reset(token)
            self._waiting.remove(waiting)

    async def elicit(
        self, context: ClientRequestContext, params: mcp_types.ElicitRequestParams
    ) -> mcp_types.ElicitResult | mcp_types.ErrorData:
        """A server of the older era asks in the middle of a call; a newer one asks by its result."""
        return await self._asked(mcp_types.ElicitRequest(params=params), mcp_types.ElicitResult.model_validate)

    async def sample(
        self, context: ClientRequestContext, params: mcp_types.CreateMessageRequestParams
    ) -> mcp_types.CreateMessageResult | mcp_types.CreateMessageResultWithTools | mcp_types.ErrorData:
        """It wants a model's answer."""
        return await self._asked(mcp_types.CreateMessageRequest(params=params), _sampled)

    async def roots(self, context: ClientRequestContext) -> mcp_types.ListRootsResult | mcp_types.ErrorData:
        """It wants to know the client's folders."""
        return await self._asked(mcp_types.ListRootsRequest(), mcp_types.ListRootsResult.model_validate)

    async def logged(self, params: mcp_types.LoggingMessageNotificationParams) -> None:
        """It logs something: passed on to the call that it belongs to, as far as that wants it."""
        waiting = self._one()
        if waiting is None or waiting.channel.log is None or waiting.channel.log_level is None:
            return
        if LOG_LEVELS.index(params.level) >= LOG_LEVELS.index(waiting.channel.log_level):
            await waiting.channel.log(params.level, params.data, params.logger)

    async def log_from(self, client: Client, level: LogLevel) -> None:
        """Asks for logs from this level on. A server of the older era is told once for its whole session."""
        if client.protocol_version in MODERN_PROTOCOL_VERSIONS or client.server_capabilities.logging is None:
            return
        if self._level is not None and LOG_LEVELS.index(self._level) <= LOG_LEVELS.index(level):
            return
        self._level = level
        request = mcp_types.SetLevelRequest(params=mcp_types.SetLevelRequestParams(level=level))
        with suppress(MCPError):  # the call counts, not its log; a session that has gone is told by the call
            await client.session.send_request(request, mcp_types.EmptyResult)

    async def _asked(self, request: mcp_types.InputRequest, read: Callable[[Any], _M]) -> _M | mcp_types.ErrorData:
        waiting = self._one()
        if waiting is None:
            return _no("several calls are under way, and it can't be told which one asks")
        if waiting.channel.put is None:
            return _no("a question in the middle of a call can't be put to this client; it can be asked by a result")
        shown = labelled({"question": request}, self._where)
        if isinstance(shown, Failure):
            return _no(shown.message)
        waiting.deadline.reschedule(_in(self._approval))
        try:
            answer = await waiting.channel.put(shown["question"])
        finally:
            if waiting in self._waiting and not waiting.deadline.expired():
                waiting.deadline.reschedule(_in(self._deadline))
        try:
            return _no("the client gave no answer") if answer is None else read(answer)
        except ValidationError:
            return _no("the client gave an answer that is none")

    def _one(self) -> _Waiting | None:
        here = _HERE.get()
        if here in self._waiting:
            return here
        return self._waiting[0] if len(self._waiting) == 1 else None


def _sampled(answer: Any) -> mcp_types.CreateMessageResult | mcp_types.CreateMessageResultWithTools:
    content = cast("dict[str, Any]", answer).get("content") if isinstance(answer, dict) else None
    model = mcp_types.CreateMessageResultWithTools if isinstance(content, list) else mcp_types.CreateMessageResult
    return model.model_validate(answer)


def _in(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def _no(reason: str) -> mcp_types.ErrorData:
    return mcp_types.ErrorData(code=mcp_types.INVALID_REQUEST, message=f"the gateway does not pass this on: {reason}")
