"""`OAuthEvent`: what happened to somebody's login, for a host's audit."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

logger = logging.getLogger(__name__)

EventKind: TypeAlias = Literal[
    "issuer_override", "registered", "login_begun", "login_completed", "refreshed", "reconnect_required", "disconnected"
]


@dataclass(frozen=True, kw_only=True, slots=True)
class OAuthEvent:
    """Something that happened; it holds no secret.

    `user` is empty for a shared login. `server` is the issuer, or the token endpoint where there is none.
    """

    kind: EventKind
    integration: str = ""
    tenant: str = ""
    user: str = ""
    server: str = ""
    detail: str = ""


Listener: TypeAlias = Callable[[OAuthEvent], Awaitable[None] | None]


async def tell(listener: Listener | None, event: OAuthEvent) -> None:
    """Logs the event, and hands it to the host's function; what that raises is logged, and stops nothing."""
    level = logging.WARNING if event.kind == "reconnect_required" else logging.INFO
    logger.log(
        level,
        "oauth %s: integration %r, tenant %r, user %r, server %r %s",
        event.kind,
        event.integration,
        event.tenant,
        event.user,
        event.server,
        event.detail,
    )
    if listener is None:
        return
    try:
        told = listener(event)
        if inspect.isawaitable(told):
            await told
    except Exception:  # the host's function may raise anything
        logger.exception("a listener to OAuth events failed")
