"""A `Failure` inside a JSON-RPC error, from where something went wrong to where a call waits for its answer.

One exception below `mcp.Client` ends the whole session, with the calls of everybody in it. So whatever fails on the way
is answered with an error that carries our failure, and only the request that it belongs to hears of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final, cast

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, ErrorData, JSONRPCError, jsonrpc_message_adapter

from mcpbridge.errors import Failure

_MARK: Final = f"mcpbridge-{secrets.token_hex(8)}"
"""Where a failure of ours stands in an error's data; an upstream can't know the word, so it can't write one."""


def error_with(failure: Failure) -> ErrorData:
    """The error that carries a failure."""
    return ErrorData(code=INTERNAL_ERROR, message=failure.message, data={_MARK: failure.to_json()})


def failure_in(error: MCPError) -> Failure | None:
    """The failure of ours that an error carries."""
    data: Any = error.error.data
    shown = cast("dict[str, Any]", data).get(_MARK) if isinstance(data, dict) else None
    return Failure.from_json(cast("Mapping[str, Any]", shown)) if isinstance(shown, dict) else None


def failure_in_body(content: bytes) -> Failure | None:
    """The failure of ours that a response carries in its body."""
    try:
        answer = jsonrpc_message_adapter.validate_json(content, by_name=False)
    except (ValueError, RecursionError):
        return None
    return failure_in(MCPError.from_error_data(answer.error)) if isinstance(answer, JSONRPCError) else None
