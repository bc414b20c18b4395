"""Whose token: tenant, integration and user. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

import httpx2

from mcpbridge.auth.oauth.errors import login_required
from mcpbridge.tools import ANYONE, Caller

CALLER_KEY: Final = "mcpbridge.caller"
"""Where a request's extensions hold who calls."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """One login: a user's at an integration, or with the empty user the one that all of a tenant share."""

    tenant: str
    integration: str
    user: str = ""

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex), no two keys alike."""
        return fingerprint(json.dumps([self.tenant, self.integration, self.user]))


def fingerprint(text: str) -> str:
    """SHA-256 (hex) of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def caller_of(request: httpx2.Request) -> Caller:
    """Who calls, as the source says that sends the request."""
    caller = request.extensions.get(CALLER_KEY)
    return caller if isinstance(caller, Caller) else ANYONE


def key_of(caller: Caller, integration: str, *, shared: bool) -> Key:
    """The login that a caller uses. Raises: AuthRequired for a caller without a user, where logins are each user's."""
    if not shared and not caller.user:
        raise login_required(integration)
    return Key(tenant=caller.tenant, integration=integration, user="" if shared else caller.user or "")
