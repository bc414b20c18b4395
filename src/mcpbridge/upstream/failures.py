"""What goes wrong between us and an MCP server, as a `Failure`."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from mcp.shared.exceptions import MCPError
from mcp_types import CONNECTION_CLOSED, INVALID_REQUEST

from mcpbridge.errors import Failure
from mcpbridge.net.limits import Limits
from mcpbridge.upstream.http import failure_in

_SESSION_GONE = ("session not found", "session terminated")


def of_answer(error: MCPError, where: str) -> Failure:
    """The failure that an error answer to a request means."""
    carried = failure_in(error)
    if carried is not None:
        return carried
    if error.error.code == CONNECTION_CLOSED:
        return Failure(
            code="connection_lost",
            message=f"{where} ended the connection before it answered",
            hint="A write may have been done: check first. The next call connects again.",
            retryable=True,
            sent="unknown",
        )
    return Failure(
        code="upstream_error",
        message=f"{where} answered with an error: {error.error.message}",
        hint="Check the arguments against what the server says.",
        sent="yes",
        details={"rpc_code": error.error.code},
    )


def ends_session(error: MCPError, failure: Failure) -> bool:
    """Whether the session is of no use any more, so that the next call has to open another one."""
    if error.error.code == CONNECTION_CLOSED or failure.status == 404:
        return True
    return error.error.code == INVALID_REQUEST and error.error.message.lower() in _SESSION_GONE


def of_connecting(error: BaseException, where: str, limits: Limits) -> Failure:
    """The failure that an exception while connecting means. The call did not leave."""
    cause = _innermost(error)
    if isinstance(cause, MCPError):
        carried = failure_in(cause)
        if carried is not None:
            return replace(carried, sent="no")
        if cause.error.code == CONNECTION_CLOSED:
            return _unreachable(f"{where} ended before it answered", "Look at what it wrote to standard error.")
        return _unreachable(f"{where} refused to connect: {cause.error.message}", "Check that it is an MCP server.")
    if isinstance(cause, TimeoutError):
        return not_in_time(where, limits)
    if isinstance(cause, FileNotFoundError | PermissionError | NotADirectoryError):
        return _unreachable(f"{where} can't be started: {cause.strerror}", "Check the command and the folder.")
    return _unreachable(f"{where} can't be connected ({type(cause).__name__})", "Check that it is an MCP server.")


def not_in_time(where: str, limits: Limits) -> Failure:
    """Connecting took too long."""
    return Failure(
        code="timeout",
        message=f"{where} did not connect within {limits.connect:g} s",
        hint="Check that it is an MCP server, and that it runs.",
        retryable=True,
    )


def overdue(where: str, limits: Limits) -> Failure:
    """A call took too long."""
    return Failure(
        code="timeout",
        message=f"{where} did not answer within {limits.deadline:g} s",
        hint="A write may have been done: check first. A read may be tried again, or asked for less.",
        retryable=True,
        sent="unknown",
    )


def unreadable(where: str) -> Failure:
    """The answer is none that MCP knows."""
    return Failure(
        code="bad_answer",
        message=f"{where} sent an answer that is not what MCP says",
        hint="Tell whoever runs it.",
        sent="yes",
    )


def _unreachable(message: str, hint: str) -> Failure:
    return Failure(code="unreachable", message=message, hint=hint, retryable=True)


def _innermost(error: BaseException) -> BaseException:
    if not isinstance(error, BaseExceptionGroup):
        return error
    return _innermost(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
