"""`try_tool`: one call of an integration's tool, for who manages it, with all that came of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import httpx2
import mcp_types

from mcpbridge.build import guarded
from mcpbridge.errors import BridgeError
from mcpbridge.gateway.judging import Judgement, judge_answer, judge_tool
from mcpbridge.gateway.scope import scope_of
from mcpbridge.gateway.sources import document_of, source_of
from mcpbridge.gateway.tapped import Caught, Exchange, Tapped, masked_curl
from mcpbridge.integrations.auth import NoAuth, Use
from mcpbridge.integrations.parts import read_limits
from mcpbridge.integrations.record import Integration, RestIntegration
from mcpbridge.integrations.stored import StoredIntegration
from mcpbridge.net.masking import Unsigned, masked
from mcpbridge.openapi.answered import answers_document
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.operations import read_operations
from mcpbridge.policy import Allow, Deny, Policy, Ruling, rule
from mcpbridge.router import Router
from mcpbridge.source.answer import error_of
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import Call, Json, Tool
from mcpbridge.wrap.audit_log import AuditLog
from mcpbridge.wrap.naming import public_key
from mcpbridge.wrap.visible import Restrict


class ConfirmationRequired(BridgeError):
    """The tool may write, and nobody confirmed that it may run. Nothing was sent."""

    code: ClassVar[str] = "confirmation_required"

    def __init__(self, tool: str) -> None:
        super().__init__(f"the tool {tool!r} may write: pass confirm=True to run it; nothing was sent")
        self.tool = tool


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What came of one call.

    request   as a line of curl, or as MCP's JSON; what the integration put in is masked. Empty where nothing was sent
    answer    as an agent would get it
    status    of the HTTP answer
    seconds   that the call took, its login and its answer included
    verdict   whether the answer is what the description says
    """

    tool: str
    request: str
    answer: Answer
    seconds: float
    verdict: Judgement
    status: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Trying:
    """What a trial is made of: the integration, its record with credentials, and the gateway's own rules."""

    stored: StoredIntegration
    record: Integration
    use: Use
    policy: Policy
    audit: AuditLog | None


async def try_tool(trying: Trying, call: Call, *, confirm: bool) -> Trial:
    """Calls the tool of this name in the integration, by a source of its own that is left again.

    It passes what a call passes: audit, scope, validation, policy. Whether the integration is enabled does not count,
    and the confirmation is the approval; nothing is repeated.

    Raises: ToolNotFound, InvalidArguments, ConfirmationRequired; DescriptionError, UpstreamError where there is no
    source to call.
    """
    record, slug = trying.record, trying.stored.name
    rest = record if isinstance(record, RestIntegration) else None
    document = None if rest is None else await document_of(rest, guard=trying.use.guard)
    taps: list[Tapped] = []

    def tap(inner: httpx2.AsyncBaseTransport) -> httpx2.AsyncBaseTransport:
        taps.append(Tapped(inner, read_limits(record.limits).answer))
        return taps[-1]

    source = await source_of(record, trying.use, tap=tap, document=document)
    outer = call.renamed(public_key("tool", slug, call.name))
    async with _served(trying, source) as served:
        tool = await served.get("tool", outer.name, call.caller)
        if not isinstance(tool, Tool) or (tool.access != "read" and not confirm):
            raise ConfirmationRequired(call.name)
        begun = time.perf_counter()
        answer = await served.call(outer)
        seconds = time.perf_counter() - begun
    trial = partial(Trial, tool=call.name, answer=answer, seconds=seconds)
    if rest is None:
        return trial(request=_as_mcp(call), verdict=_of_tool(tool, answer))
    last = next((each.last for each in taps if each.last is not None), None)
    if last is None:
        return trial(request="", verdict=Judgement(outcome="unjudged", message="there was no answer"))
    described = None if document is None else await asyncio.to_thread(_described, document, call.name)
    plain = await _plain(rest, trying.use, document, call)
    shown = "" if plain is None else masked_curl(plain, last.request)
    content = _unsaid(last, plain)
    judge = partial(judge_answer, described, status=last.status, kind=last.kind, content=content)
    return trial(request=shown, verdict=await asyncio.to_thread(judge), status=last.status)


def _unsaid(last: Exchange, plain: httpx2.Request | None) -> bytes:
    """The answer's content; an error has every credential masked that it says back, as in the answer itself."""
    if 200 <= last.status < 300:
        return last.content
    return b"" if plain is None else masked(last.content, Unsigned.of(plain).credentials(last.request))


def _served(trying: Trying, source: ToolSource) -> ToolSource:
    open_scope = replace(scope_of(trying.stored), enabled=True)
    router = Router({trying.stored.name: Restrict(source, open_scope)})
    return guarded(router, policy=_confirmed(trying.policy), retry=None, audit=trying.audit)


def _confirmed(policy: Policy) -> Policy:
    """The policy, after a person's yes: what it denies stays denied."""

    async def ruled(call: Call, tool: Tool) -> Ruling:
        ruling = await rule(policy, call, tool)
        return ruling if isinstance(ruling, Deny) else Allow(reason="who manages the integration confirmed it")

    return ruled


def _described(document: Document, name: str) -> Mapping[str, Json] | None:
    operation = next((each for each in read_operations(document) if each.name == name), None)
    return None if operation is None else answers_document(document, operation)


async def _plain(record: RestIntegration, use: Use, document: Document | None, call: Call) -> httpx2.Request | None:
    """The request before the integration put anything in."""
    caught = Caught()
    bare = record.model_copy(update={"auth": NoAuth(), "headers": {}})
    async with await source_of(bare, use, tap=lambda _: caught, document=document) as source:
        await source.call(call)
    return caught.request


def _as_mcp(call: Call) -> str:
    params = {"name": call.name, "arguments": dict(call.arguments)}
    return json.dumps({"method": "tools/call", "params": params}, ensure_ascii=False)


def _of_tool(tool: Tool, answer: Answer) -> Judgement:
    if not isinstance(answer, mcp_types.CallToolResult) or answer.is_error or error_of(answer) is not None:
        return Judgement(outcome="unjudged", message="the call had no result")
    return judge_tool(tool, answer.structured_content)
