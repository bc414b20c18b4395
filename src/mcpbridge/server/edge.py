"""`Edge`: MCP's requests, answered by one source. What goes wrong below ends here, and only our own words go out."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, TypeVar, cast

import mcp_types
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from mcpbridge.errors import SourceDisabled, ToolNotFound
from mcpbridge.server.channel import channel_of
from mcpbridge.server.connections import was_shown
from mcpbridge.server.errors import failure_for, missing_capability, protocol_error, unknown
from mcpbridge.server.headers import HeaderMismatch, check_param_headers
from mcpbridge.server.identity import RequestContext, caller_of
from mcpbridge.server.news import listed
from mcpbridge.server.paging import BadCursor, page_of
from mcpbridge.server.questions import settle
from mcpbridge.server.wire import WirePages, for_client, list_result
from mcpbridge.source.answer import error_of, failed, failure_of
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import Call, Caller, CallKind, Json, Kind

_R = TypeVar("_R", bound=mcp_types.Result)

_Params: TypeAlias = (
    mcp_types.CallToolRequestParams | mcp_types.ReadResourceRequestParams | mcp_types.GetPromptRequestParams
)


class Edge:
    """The handlers of a server over one source.

    Every listing asks the source, so what it hides from a caller is never shown from a cache; no call costs a listing.
    """

    def __init__(self, source: ToolSource, *, listing_ttl: float = 0.0, clock: Callable[[], float] = time.time) -> None:
        self._source = source
        self._pages = WirePages()
        self._ttl = listing_ttl
        self._clock = clock

    def lists(self, kind: Kind) -> Callable[..., Awaitable[Any]]:
        """The handler of one kind's listing."""

        async def handle(ctx: RequestContext, params: mcp_types.PaginatedRequestParams | None) -> dict[str, Json]:
            return await self._list(kind, ctx, params.cursor if params else None)

        return handle

    async def call_tool(
        self, ctx: RequestContext, params: mcp_types.CallToolRequestParams
    ) -> mcp_types.CallToolResult | mcp_types.InputRequiredResult:
        """`tools/call`. Whatever fails below the protocol is a tool error, which a model can read."""
        call = _call(ctx, "tool", params.name, params.arguments or {}, params)
        answer = await self._ask(ctx, call)
        if not isinstance(answer, mcp_types.CallToolResult | mcp_types.InputRequiredResult):
            answer = failed(failure_for(_strange(answer), call.id, f"the call of {params.name!r}"))
        return for_client(answer, ctx.protocol_version)

    async def read_resource(
        self, ctx: RequestContext, params: mcp_types.ReadResourceRequestParams
    ) -> mcp_types.ReadResourceResult | mcp_types.InputRequiredResult:
        """`resources/read`."""
        return await self._answer(ctx, _call(ctx, "resource", params.uri, {}, params), mcp_types.ReadResourceResult)

    async def get_prompt(
        self, ctx: RequestContext, params: mcp_types.GetPromptRequestParams
    ) -> mcp_types.GetPromptResult | mcp_types.InputRequiredResult:
        """`prompts/get`."""
        call = _call(ctx, "prompt", params.name, params.arguments or {}, params)
        return await self._answer(ctx, call, mcp_types.GetPromptResult)

    async def complete(self, ctx: RequestContext, params: mcp_types.CompleteRequestParams) -> mcp_types.CompleteResult:
        """`completion/complete`. It has no rounds, so it can't ask a person."""
        call = _completion(ctx, params)
        answer = await self._answer(ctx, call, mcp_types.CompleteResult)
        if isinstance(answer, mcp_types.InputRequiredResult):
            raise protocol_error(failure_for(_strange(answer), call.id, f"the completion of {call.name!r}"))
        return answer

    async def _list(self, kind: Kind, ctx: RequestContext, cursor: str | None) -> dict[str, Json]:
        call = Call(name=kind, caller=caller_of(ctx))
        try:
            shown = listed(await self._source.list(kind, call.caller))
            was_shown(ctx, kind, shown)
            page, following = page_of(shown, kind, cursor)
            rendered = self._pages.render(kind, ctx.protocol_version, page)
            return list_result(kind, rendered, following, fresh=self._fresh(call.caller))
        except BadCursor:
            raise MCPError(code=INVALID_PARAMS, message="Invalid cursor: list again from the start") from None
        except Exception as error:  # noqa: BLE001 - the edge: the SDK would show it to older clients
            raise protocol_error(failure_for(error, call.id, f"the listing of {kind}s")) from None

    def _fresh(self, caller: Caller) -> float:
        """Seconds for which a listing may be kept: what the host allows, never past the next edge of a window."""
        edge = self._source.holds_until(caller) if self._ttl else None
        return self._ttl if edge is None else max(0.0, min(self._ttl, edge - self._clock()))

    async def _answer(self, ctx: RequestContext, call: Call, wanted: type[_R]) -> _R | mcp_types.InputRequiredResult:
        """The answer to what is no tool call: those have no result that could carry a failure."""
        answer = await self._ask(ctx, call)
        if isinstance(answer, wanted | mcp_types.InputRequiredResult):
            return for_client(answer, ctx.protocol_version)
        failure = error_of(answer) or failure_for(_strange(answer), call.id, f"{ctx.method} of {call.name!r}")
        raise protocol_error(failure)

    async def _ask(self, ctx: RequestContext, call: Call) -> Answer:
        kind, key = call.target()
        try:
            await check_param_headers(ctx, call, self._source, self._pages.mirrored)
            answer = await settle(call, self._source.call)
            failure = error_of(answer)
            lacking = None if failure is None else missing_capability(failure, ctx.protocol_version)
        except SourceDisabled as error:
            return failed(failure_of(error, id=call.id))
        except ToolNotFound:
            raise unknown(kind, key, ctx.protocol_version) from None
        except HeaderMismatch as mismatch:
            raise mismatch.error from None
        except Exception as error:  # noqa: BLE001 - the edge: the SDK would show it to older clients
            return failed(failure_for(error, call.id, f"{ctx.method} of {key!r}"))
        if lacking is not None:
            raise lacking
        return answer


def _call(ctx: RequestContext, kind: CallKind, name: str, arguments: Mapping[str, Json], params: _Params) -> Call:
    """The call as our own value: nothing of `params` or its `_meta` goes further than here."""
    responses = (ctx.params or {}).get("inputResponses") if params.input_responses else None
    return Call(
        name=name,
        arguments=arguments,
        caller=caller_of(ctx),
        kind=kind,
        input_responses=cast("Mapping[str, Json] | None", responses),
        request_state=params.request_state,
        client=channel_of(ctx),
    )


def _completion(ctx: RequestContext, params: mcp_types.CompleteRequestParams) -> Call:
    is_prompt = isinstance(params.ref, mcp_types.PromptReference)
    arguments: dict[str, Json] = {
        "ref": "prompt" if is_prompt else "template",
        "argument": params.argument.name,
        "value": params.argument.value,
        "context": dict((params.context.arguments if params.context else None) or {}),
    }
    name = params.ref.name if isinstance(params.ref, mcp_types.PromptReference) else params.ref.uri
    return Call(name=name, arguments=arguments, kind="completion", caller=caller_of(ctx), client=channel_of(ctx))


def _strange(answer: Answer) -> TypeError:
    return TypeError(f"the source answered with {type(answer).__name__}, which is no answer to this")
