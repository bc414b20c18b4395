"""What goes wrong between us and an MCP server, as a `Failure`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast

import httpx2
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    INVALID_REQUEST,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    UNSUPPORTED_PROTOCOL_VERSION,
)

from mcpbridge.errors import Failure
from mcpbridge.net.failures import SigningFailed, overdue
from mcpbridge.net.failures import unsigned as _unsigned
from mcpbridge.net.limits import Limits
from mcpbridge.openapi.refusal import phrase, retry_after
from mcpbridge.tools import Json
from mcpbridge.upstream.carried import failure_in

_SESSION_GONE = ("session not found", "session terminated")
_CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found_upstream", 429: "rate_limited"}
_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})

SESSION_LOST: Final = "session_lost"
"""The code where a server has forgotten the session: what was asked in it was not done."""

NO_MCP: Final = "no_mcp_server"
"""The code where something answers that is no MCP server."""

WRONG_TRANSPORT: Final = "wrong_transport"
"""The code where a server does not speak the transport that was declared."""


def of_answer(error: MCPError, where: str) -> Failure:
    """The failure that an error answer to a request means."""
    carried = failure_in(error)
    if carried is not None:
        return carried
    if _is_closed(error):
        return Failure(
            code="connection_lost",
            message=f"{where} ended the connection before it answered",
            hint="A write may have been done: check first. The next call connects again.",
            retryable=True,
            sent="unknown",
        )
    if error.error.code == INVALID_REQUEST and error.error.message.lower() in _SESSION_GONE:
        return session_lost(where, None)
    if error.error.code == MISSING_REQUIRED_CLIENT_CAPABILITY:
        return _lacking(error, where)
    return Failure(
        code="upstream_error",
        message=f"{where} answered with an error: {error.error.message}",
        hint="Check the arguments against what the server says.",
        sent="yes",
        details={"rpc_code": error.error.code},
    )


def _lacking(error: MCPError, where: str) -> Failure:
    data: object = error.error.data
    required = cast("Mapping[str, Json]", data).get("requiredCapabilities") if isinstance(data, Mapping) else None
    return Failure(
        code="missing_capability",
        message=f"{where} needs a client that can do more: {error.error.message}",
        hint="Use a client that declares the capabilities named here.",
        details={"required_capabilities": required},
    )


def ends_session(error: MCPError, failure: Failure) -> bool:
    """Whether the session is of no use any more, so that the next call has to open another one."""
    return failure.code == SESSION_LOST or _is_closed(error)


def session_lost(where: str, status: int | None) -> Failure:
    """The server does not know the session (any more), so it did nothing with the request."""
    return Failure(
        code=SESSION_LOST,
        message=f"{where} has forgotten the session; it was restarted, or the session was idle for too long",
        hint="Call again: the next call opens another session.",
        retryable=True,
        status=status,
    )


def refused(response: httpx2.Response, place: str) -> Failure:
    """The server answered with an HTTP status that says no, and with no error of MCP's."""
    status = response.status_code
    challenge = response.headers.get("www-authenticate")
    return Failure(
        code=_CODES.get(status) or ("upstream_error" if status >= 500 else "upstream_status"),
        message=f"{place} answered {status} {phrase(status)}",
        hint="The gateway's credential was not accepted. An operator has to renew it." if status in (401, 403) else "",
        retryable=status in _RETRYABLE,
        retry_after=retry_after(response.headers, None),
        status=status,
        sent="yes",
        details={"www_authenticate": challenge} if challenge else {},
    )


def unsigned(error: Exception, place: str, *, left: bool) -> Failure:
    """The strategy raised; its words may hold the credential, so only the name of what it raised is told."""
    return _unsigned(SigningFailed(type(error).__name__), place, left=left)


def of_connecting(error: BaseException, where: str, limits: Limits, *, noise: int) -> Failure:
    """The failure that an exception while connecting means. The call did not leave.

    `noise` counts lines of a child's standard output that were no messages.
    """
    cause = _innermost(error)
    if isinstance(cause, MCPError):
        return _of_handshake(cause, where, noise)
    if isinstance(cause, TimeoutError):
        return not_in_time(where, limits, noise=noise)
    if isinstance(cause, FileNotFoundError | PermissionError | NotADirectoryError):
        failure = _unreachable(f"{where} can't be started: {cause.strerror}", "Check the command and the folder.")
        return replace(failure, retryable=False)
    return _unreachable(f"{where} can't be connected ({type(cause).__name__})", "Check that it is an MCP server.")


def not_in_time(where: str, limits: Limits, *, noise: int = 0) -> Failure:
    """Connecting took too long."""
    return Failure(
        code="timeout",
        message=f"{where} did not connect within {limits.connect:g} s{_told(noise)}",
        hint="Check that it is an MCP server, and that it runs.",
        retryable=True,
    )


def unanswered(where: str, limits: Limits, *, connected: bool) -> Failure:
    """A call took too long. It did not leave where there was no connection yet."""
    failure = overdue(where, limits, status=None)
    return failure if connected else replace(failure, sent="no", hint="Try again later.")


def unreadable(where: str) -> Failure:
    """The answer is none that MCP knows."""
    return Failure(
        code="bad_answer",
        message=f"{where} sent an answer that is not what MCP says",
        hint="Tell whoever runs it.",
        sent="yes",
    )


def too_long(where: str, most: int) -> Failure:
    """A child wrote an answer that is larger than the cap."""
    return Failure(
        code="answer_too_large",
        message=f"{where} answered with more than {most} bytes",
        hint="Ask for less: a page, a filter, fewer fields. An operator can raise Limits(answer=…).",
        sent="yes",
    )


def ended(where: str) -> Failure:
    """An open connection has gone."""
    return _unreachable(f"{where} ended the connection", "It is connected again by and by, and by the next call.")


def _of_handshake(error: MCPError, where: str, noise: int) -> Failure:
    carried = failure_in(error)
    if carried is not None:
        return replace(carried, sent="no")
    if _is_closed(error):
        return _unreachable(
            f"{where} ended before it answered{_told(noise)}", "Look at what it wrote to standard error."
        )
    if error.error.code == UNSUPPORTED_PROTOCOL_VERSION:
        hint = "It needs a version of MCP that mcpbridge does not speak: update whichever of the two is older."
        return Failure(code="protocol_version", message=f"{where} speaks another version of MCP", hint=hint)
    return Failure(
        code=NO_MCP,
        message=f"{where} does not answer as an MCP server: {error.error.message}",
        hint="Check that it is one, and its URL or command.",
        retryable=True,
    )


def _is_closed(error: MCPError) -> bool:
    """Whether the SDK says that the connection has gone. Servers use its code for errors of their own as well."""
    said = error.error.message
    return error.error.code == CONNECTION_CLOSED and (said == "Connection closed" or said.startswith("SSE stream "))


def _told(noise: int) -> str:
    return f"; it wrote {noise} lines to standard output that are no messages of MCP" if noise else ""


def _unreachable(message: str, hint: str) -> Failure:
    return Failure(code="unreachable", message=message, hint=hint, retryable=True)


def _innermost(error: BaseException) -> BaseException:
    if not isinstance(error, BaseExceptionGroup):
        return error
    return _innermost(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
