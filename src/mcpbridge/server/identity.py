"""Who calls: the host's `identify`, run before anything else looks at a request."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

from mcpbridge.secret import Secret
from mcpbridge.server.errors import refused
from mcpbridge.server.hosts import is_loopback
from mcpbridge.server.verify_token import CallerToken
from mcpbridge.tools import ANYONE, Caller

RequestContext: TypeAlias = ServerRequestContext[Any, Any]
"""What `identify` gets. `request` is the HTTP request (Starlette's), None over stdio and in memory."""

IdentifyCaller: TypeAlias = Callable[[RequestContext], Awaitable[Caller]]
"""Tells who sent a request. Whatever it raises, the request is refused."""

REFUSALS = "mcpbridge.refusals"
"""Where a request's ASGI scope holds a list that is told of a refusal, so that HTTP can answer 401."""

logger = logging.getLogger(__name__)


@dataclass(kw_only=True)
class IdentifiedContext(ServerRequestContext[Any, Any]):
    """A request whose caller is known."""

    caller: Caller


class Identify:
    """Server middleware that puts the caller into the context of each request, or refuses the request."""

    def __init__(self, identify: IdentifyCaller) -> None:
        self._identify = identify

    async def __call__(self, ctx: RequestContext, call_next: CallNext) -> HandlerResult:
        if ctx.method.startswith("notifications/"):
            return await call_next(ctx)
        try:
            caller = _checked(await self._identify(ctx))
        except Exception as error:  # noqa: BLE001 - the edge: whatever the host's code raises must not open a door
            logger.warning("refused %s: identify raised %s", ctx.method, type(error).__name__)
            _tell_transport(ctx)
            raise refused() from None
        return await call_next(_identified(ctx, caller))


async def token_or_loopback(ctx: RequestContext) -> Caller:
    """The caller where the host gave no `identify`.

    With a token that the transport verified it is the one that the verifier tells (`CallerToken`), or the token's
    subject, or its client where there is none. Else it is `ANYONE`: over stdio, in memory, and over HTTP on this
    machine only, for requests that show no credential: one that nothing checks makes nobody of its bearer.

    Raises: PermissionError for others.
    """
    token = get_access_token()
    if isinstance(token, CallerToken):
        return replace(token.caller, token=Secret(token.token))
    if token is not None:
        agent = None if token.subject else token.client_id
        return Caller(user=token.subject, agent=agent, token=Secret(token.token))
    if ctx.request is None:
        return ANYONE
    scope = scope_of(ctx)
    if any(name == b"authorization" for name, _ in scope.get("headers", ())):
        raise PermissionError("the request shows a credential, and nothing here checks it")
    if is_loopback(scope):
        return ANYONE
    raise PermissionError("only this machine is served without identify or a verifier")


def caller_of(ctx: RequestContext) -> Caller:
    """The caller that `Identify` found.

    Raises: PermissionError where it did not run.
    """
    if not isinstance(ctx, IdentifiedContext):
        raise PermissionError("the request was not identified")
    return ctx.caller


def scope_of(ctx: RequestContext) -> Mapping[str, Any]:
    """The ASGI scope of the HTTP request, empty where there is none."""
    scope: Mapping[str, Any] = getattr(ctx.request, "scope", {})
    return scope


def principal(ctx: RequestContext) -> str:
    """What sealed state is bound to: who called, so that nobody else can send it back."""
    return json.dumps(caller_of(ctx).key())


def _checked(caller: object) -> Caller:
    if not isinstance(caller, Caller):
        raise TypeError(f"identify gave {type(caller).__name__}, no Caller")
    return caller


def _identified(ctx: RequestContext, caller: Caller) -> IdentifiedContext:
    return IdentifiedContext(**{field.name: getattr(ctx, field.name) for field in fields(ctx)}, caller=caller)


def _tell_transport(ctx: RequestContext) -> None:
    scope_of(ctx).get(REFUSALS, []).append(ctx.method)
