"""An answer that is no success, as a `Failure` (RFC 9110 section 15, RFC 9457)."""

from __future__ import annotations

import json
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx2

from mcpbridge.errors import Failure
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.operation import Operation
from mcpbridge.tools import Json

BODY = 4_000
"""Characters of an error's body that are kept in `details`."""

LINE = 300
"""Characters of it that are put into the message."""

_CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found_upstream", 429: "rate_limited"}
_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
_HINTS = {
    400: "Check the arguments against the tool's schema and what the API says.",
    401: "The API did not accept the gateway's credential. An operator has to renew or reconnect it.",
    403: "The gateway's credential may not do this. Another account or more scopes are needed.",
    404: "Check the identifiers in the arguments; list the things that exist first.",
    405: "The API does not offer this operation here; the description may be out of date.",
    409: "It conflicts with how things are now. Read the current state, then decide.",
    410: "It is gone for good.",
    412: "It changed in between. Read it again, then decide.",
    413: "Send less at once.",
    422: "Check the arguments against what the API says.",
    429: "Wait before the next call.",
}
_PROBLEM = ("type", "title", "status", "detail", "instance")
_SAYING = ("detail", "message", "error_description", "title", "error", "errors", "msg", "reason", "description")


def failure_for(
    operation: Operation, status: int, headers: httpx2.Headers, body: Json, *, now: float | None = None
) -> Failure:
    """The failure that a 3xx, 4xx or 5xx answer means; it was sent, and answered."""
    said = _said(body)
    asked = f"{operation.method.upper()} {operation.path}"
    message = f"{asked} answered {status} {phrase(status)}" + (f": {said}" if said else "")
    return Failure(
        code=_code(status),
        message=message,
        hint=_hint(status, headers),
        retryable=status in _RETRYABLE,
        retry_after=retry_after(headers, now),
        status=status,
        sent="yes",
        details=_details(headers, body),
    )


def retry_after(headers: httpx2.Headers, now: float | None) -> float | None:
    """Seconds to wait, from a number or a date (RFC 9110 section 10.2.3); never below 0, None where unreadable."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    until, since = _epoch(text), _epoch(headers.get("date", "")) or now
    return None if until is None or since is None else max(0.0, until - since)


def _epoch(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _code(status: int) -> str:
    if 300 <= status < 400:
        return "not_modified" if status == 304 else "redirected"
    return _CODES.get(status) or ("upstream_error" if status >= 500 else "upstream_status")


def _hint(status: int, headers: httpx2.Headers) -> str:
    if status == 304:
        return "It has not changed since the copy that the arguments name."
    if 300 <= status < 400:
        place = _line(headers.get("location", "elsewhere"))
        return f"The API points to {place}, which was not followed: a call stays inside the origin of its base URL."
    if status >= 500:
        return "The API failed by itself. Reading may be tried again later; check first whether a write was done."
    return _HINTS.get(status, "Check the arguments against what the API says.")


def phrase(status: int) -> str:
    """The standard phrase of a status (RFC 9110 section 15), or that there is none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(no standard status)"


def _said(body: Json) -> str:
    """What an error's body says, in one line."""
    if isinstance(body, str):
        return _line(body)
    if is_list(body) and body:
        return _said(body[0])
    if is_object(body):
        members = body
        for name in _SAYING:
            if said := _said(members.get(name)):
                return said
    return ""


def _line(text: str) -> str:
    words = " ".join("".join(c if c.isprintable() else " " for c in text[: LINE * 4]).split())
    return words if len(words) <= LINE else words[: LINE - 1] + "…"


def _details(headers: httpx2.Headers, body: Json) -> dict[str, Any]:
    details: dict[str, Any] = {}
    for name in ("www-authenticate", "location", "retry-after"):
        if (value := headers.get(name)) is not None:
            details[name.replace("-", "_")] = value
    if "problem+json" in headers.get("content-type", "") and is_object(body):
        members = body
        details["problem"] = {name: members[name] for name in _PROBLEM if name in members}
    if body not in (None, ""):
        details["body"] = _cut(body)
    return details


def _cut(body: Json) -> Json:
    """The body, or the beginning of its text where it is long."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    if len(text) <= BODY:
        return body
    return text[: BODY - 1] + "…"
