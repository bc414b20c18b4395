"""What a token endpoint answers: tokens, or why there are none. Pure; nothing of its words gets into a message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Final, cast

from mcpbridge.auth.oauth.checks import Unsound
from mcpbridge.auth.oauth.values import Granted
from mcpbridge.secret import Secret
from mcpbridge.tools import Json

LONGEST: Final = 10 * 365 * 86400.0
"""Seconds; a lifetime beyond is taken for nonsense."""

KNOWN: Final = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_target",
        "invalid_client_metadata",
        "invalid_redirect_uri",
        "access_denied",
        "unsupported_response_type",
        "server_error",
        "temporarily_unavailable",
        "consent_required",
        "interaction_required",
        "login_required",
    }
)
"""Error codes that are shown: RFC 6749 sections 4.1.2.1 and 5.2, RFC 8707, RFC 7591, OpenID Connect."""


class TokenRefused(Exception):
    """The server said no. `error` is its code where that is a known one, else empty."""

    def __init__(self, error: str, status: int) -> None:
        super().__init__(error or f"status {status}")
        self.error = error
        self.status = status


def known_error(error: object) -> str:
    """An error code of a server, where it is a known one, else the empty text."""
    return error if isinstance(error, str) and error in KNOWN else ""


def read_tokens(status: int, content: bytes) -> Granted:
    """The tokens of an answer (RFC 6749 section 5.1).

    Raises: TokenRefused for an answer that says no, also with status 200 as some servers do; Unsound for one that says
    yes and can't be used.
    """
    stated = _object(content)
    if status != 200 or stated.get("error"):
        raise TokenRefused(known_error(stated.get("error")), status)
    kind = stated.get("token_type", "Bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise Unsound("its token is of another type than Bearer")
    access = _token(stated, "access_token")
    if access is None:
        raise Unsound("its answer holds no access_token")
    scope = stated.get("scope")
    return Granted(
        access=access,
        refresh=_token(stated, "refresh_token"),
        lifetime=_lifetime(stated.get("expires_in")),
        scope=scope if isinstance(scope, str) and scope.isascii() and scope.isprintable() else None,
    )


def _lifetime(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or not 0 < value <= LONGEST:
        raise Unsound("its expires_in is no number of seconds between 0 and ten years")
    return float(value)


def _token(stated: Mapping[str, Json], name: str) -> Secret | None:
    """A token that a header can carry (RFC 6750 section 2.1, read widely). Raises: Unsound."""
    value = stated.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > 64 * 1024 or not all("!" <= each <= "~" for each in value):
        raise Unsound(f"its {name} holds what no header can carry")
    return Secret(value)


def _object(content: bytes) -> Mapping[str, Json]:
    """The JSON object, or an empty one: an answer that is none has no tokens and no error."""
    try:
        stated: Json = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return cast("Mapping[str, Json]", stated) if isinstance(stated, dict) else {}
