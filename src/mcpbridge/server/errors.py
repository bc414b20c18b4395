"""What a client is told when a request gives no result: never more than the library's own words.

The SDK would send `str(error)` of whatever a handler raises to clients of the older era, and hide it from the newer
one. So nothing but `MCPError`s made here leave the edge.
"""

from __future__ import annotations

import logging
from typing import Final, cast

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, MISSING_REQUIRED_CLIENT_CAPABILITY
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mcpbridge.errors import ApprovalRequired, AuthRequired, Failure, InvalidArguments, UpstreamError
from mcpbridge.source.answer import failure_of
from mcpbridge.tools import Json, Kind

RESOURCE_NOT_FOUND: Final = -32002
"""Until 2025-11-25; later revisions retired it for -32602."""

logger = logging.getLogger(__name__)


def is_modern(version: str) -> bool:
    """Whether a protocol version is 2026-07-28 or later (a request stands alone, questions are results)."""
    return version in MODERN_PROTOCOL_VERSIONS


def unknown(kind: Kind, key: str, version: str) -> MCPError:
    """No such item, or none for this caller: the same words for both."""
    if kind == "resource" and not is_modern(version):
        return MCPError(code=RESOURCE_NOT_FOUND, message=f"Unknown resource: {key}", data={"uri": key})
    return MCPError(code=INVALID_PARAMS, message=f"Unknown {kind}: {key}")


def refused() -> MCPError:
    """The caller is not let in."""
    return MCPError(code=INVALID_REQUEST, message="Not authorized", data={"reason": "unauthorized"})


def failure_for(error: Exception, id: str, doing: str) -> Failure:
    """The failure to tell for an exception that reached the edge. What is not for the client goes to the log only."""
    if isinstance(error, InvalidArguments | UpstreamError | AuthRequired | ApprovalRequired):
        return failure_of(error, id=id)
    logger.error("%s failed (id %s)", doing, id, exc_info=error)
    return Failure(
        code="internal",
        message=f"Internal error. The log of the gateway has it under the id {id}.",
        hint="Calling again unchanged is unlikely to help. Tell the operator the id.",
        sent="unknown",
        id=id,
    )


def missing_capability(failure: Failure, version: str) -> MCPError | None:
    """The error for a client of 2026-07-28 that did not declare what a server behind us needs; None for others.

    That client may declare more and call again (MCP 2026-07-28, lifecycle, missing client capability).
    """
    required: Json = failure.details.get("required_capabilities")
    if failure.code != "missing_capability" or not isinstance(required, dict) or not is_modern(version):
        return None
    data = {"requiredCapabilities": cast("Json", required)}
    return MCPError(code=MISSING_REQUIRED_CLIENT_CAPABILITY, message=failure.message, data=data)


def protocol_error(failure: Failure) -> MCPError:
    """A failure of what is no tool call: those have no result that could carry it."""
    code = INVALID_PARAMS if failure.code == InvalidArguments.code else INTERNAL_ERROR
    return MCPError(code=code, message=failure.message, data={"error": failure.to_json()})
