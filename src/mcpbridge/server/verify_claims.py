"""What a JWT says before and after its signature was checked. Pure."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from typing import Final, cast

from mcpbridge.openapi.jsontext import is_list
from mcpbridge.server.verify_token import Claims
from mcpbridge.tools import Json

LONGEST: Final = 16_384
"""Characters of a token; a header of HTTP holds no more with most servers."""

TYPES: Final = frozenset({"at+jwt", "application/at+jwt", "jwt", ""})
"""The types of access tokens (RFC 9068 section 4), and what issuers write that do not follow it."""


class Unverified(Exception):
    """The token is refused. The message is ours, for the log: it holds nothing of the token."""


def unverified(token: str) -> tuple[Claims, Claims]:
    """Header and claims of a JWT, nothing of which is known to be true yet. Raises: Unverified."""
    parts = token.split(".")
    if len(token) > LONGEST or len(parts) != 3:
        raise Unverified("it is no JWT")
    return _object(parts[0]), _object(parts[1])


def check_header(header: Claims, algorithms: Sequence[str]) -> None:
    """Passes the header of an access token (RFC 8725 sections 3.1 and 3.11). Raises: Unverified."""
    if header.get("alg") not in algorithms:
        raise Unverified("it is signed by an algorithm that is not allowed")
    kind = header.get("typ", "")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise Unverified("it is no access token by its type")
    if "crit" in header:
        raise Unverified("it has extensions that are not known here")


def check_claims(claims: Claims, *, issuer: str, audiences: Sequence[str], now: float, leeway: float) -> None:
    """Passes claims of this issuer, for one of these audiences, good now (RFC 9068 section 4). Raises: Unverified."""
    if claims.get("iss") != issuer:
        raise Unverified("it is of another issuer")
    check_audience(claims, audiences)
    check_times(claims, now=now, leeway=leeway)


def check_audience(claims: Claims, audiences: Sequence[str]) -> None:
    """Passes claims that are for one of these audiences. Raises: Unverified."""
    stated: Json = claims.get("aud")
    named = [stated] if isinstance(stated, str) else stated
    if not is_list(named) or not any(each in audiences for each in named):
        raise Unverified("it is for another audience")


def check_times(claims: Claims, *, now: float, leeway: float) -> None:
    """Passes claims of a token that is good now; one without an end is not. Raises: Unverified."""
    end = _time(claims, "exp")
    if end is None or end + leeway <= now:
        raise Unverified("it is over, or has no end")
    if any((start := _time(claims, name)) is not None and start - leeway > now for name in ("nbf", "iat")):
        raise Unverified("it is not good yet: compare the clocks of the issuer and of this machine")


def _time(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unverified(f"its {name} is no time")
    return float(value)


def _object(part: str) -> Claims:
    try:
        stated: Json = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        raise Unverified("it is no JWT") from None
    if not isinstance(stated, dict):
        raise Unverified("it is no JWT")
    return cast("Claims", stated)
