"""mcpbridge: composable classes with which a host builds its own MCP gateway.

Every public name is imported from here. Names are loaded when they are first used (PEP 562), so that importing
mcpbridge, the converter, lint or diff costs neither the MCP SDK nor an HTTP client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcpbridge.auth.static import ApiKey as ApiKey
    from mcpbridge.auth.static import Basic as Basic
    from mcpbridge.auth.static import Bearer as Bearer
    from mcpbridge.auth.static import Headers as Headers
    from mcpbridge.errors import (
        ApprovalRequired as ApprovalRequired,
    )
    from mcpbridge.errors import (
        AuthRequired as AuthRequired,
    )
    from mcpbridge.errors import (
        BridgeError as BridgeError,
    )
    from mcpbridge.errors import (
        ConfigError as ConfigError,
    )
    from mcpbridge.errors import (
        DescriptionError as DescriptionError,
    )
    from mcpbridge.errors import (
        Failure as Failure,
    )
    from mcpbridge.errors import (
        InvalidArguments as InvalidArguments,
    )
    from mcpbridge.errors import (
        ToolNotFound as ToolNotFound,
    )
    from mcpbridge.errors import (
        UpstreamError as UpstreamError,
    )
    from mcpbridge.net.limits import Limits as Limits
    from mcpbridge.openapi.document import Document as Document
    from mcpbridge.openapi.operation import Operation as Operation
    from mcpbridge.openapi.operation import Place as Place
    from mcpbridge.openapi.operations import read_operations as read_operations
    from mcpbridge.openapi.request import build_request as build_request
    from mcpbridge.openapi.response import read_response as read_response
    from mcpbridge.openapi.tool import to_tool as to_tool
    from mcpbridge.policy import reads_run_writes_ask as reads_run_writes_ask
    from mcpbridge.rest import RestSource as RestSource
    from mcpbridge.router import Router as Router
    from mcpbridge.secret import Secret as Secret
    from mcpbridge.server.asgi import to_asgi as to_asgi
    from mcpbridge.server.lowlevel import to_server as to_server
    from mcpbridge.source.answer import (
        answers as answers,
    )
    from mcpbridge.source.answer import (
        ask as ask,
    )
    from mcpbridge.source.answer import (
        error_of as error_of,
    )
    from mcpbridge.source.answer import (
        failed as failed,
    )
    from mcpbridge.source.answer import (
        nest as nest,
    )
    from mcpbridge.source.base import Hidden as Hidden
    from mcpbridge.source.base import ToolSource as ToolSource
    from mcpbridge.source.base import Verdict as Verdict
    from mcpbridge.source.base import Wrapper as Wrapper
    from mcpbridge.tools import (
        ANYONE as ANYONE,
    )
    from mcpbridge.tools import (
        Call as Call,
    )
    from mcpbridge.tools import (
        Caller as Caller,
    )
    from mcpbridge.tools import (
        ClientChannel as ClientChannel,
    )
    from mcpbridge.tools import (
        Origin as Origin,
    )
    from mcpbridge.tools import (
        Prompt as Prompt,
    )
    from mcpbridge.tools import (
        Resource as Resource,
    )
    from mcpbridge.tools import (
        ResourceTemplate as ResourceTemplate,
    )
    from mcpbridge.tools import (
        Status as Status,
    )
    from mcpbridge.tools import (
        Tool as Tool,
    )
    from mcpbridge.upstream.functions import Functions as Functions
    from mcpbridge.upstream.source import McpSource as McpSource
    from mcpbridge.wrap.approve import Approve as Approve
    from mcpbridge.wrap.approve import ask_client as ask_client
    from mcpbridge.wrap.approve import ask_host as ask_host
    from mcpbridge.wrap.filter import Filter as Filter
    from mcpbridge.wrap.prefix import Prefix as Prefix
    from mcpbridge.wrap.validate import Validate as Validate

_HOME = {
    "ANYONE": "tools",
    "ApiKey": "auth.static",
    "ApprovalRequired": "errors",
    "Approve": "wrap.approve",
    "AuthRequired": "errors",
    "Basic": "auth.static",
    "Bearer": "auth.static",
    "BridgeError": "errors",
    "Call": "tools",
    "Caller": "tools",
    "ClientChannel": "tools",
    "ConfigError": "errors",
    "DescriptionError": "errors",
    "Document": "openapi.document",
    "Failure": "errors",
    "Filter": "wrap.filter",
    "Functions": "upstream.functions",
    "Headers": "auth.static",
    "Hidden": "source.base",
    "InvalidArguments": "errors",
    "Limits": "net.limits",
    "McpSource": "upstream.source",
    "Operation": "openapi.operation",
    "Origin": "tools",
    "Place": "openapi.operation",
    "Prefix": "wrap.prefix",
    "Prompt": "tools",
    "Resource": "tools",
    "ResourceTemplate": "tools",
    "RestSource": "rest",
    "Router": "router",
    "Secret": "secret",
    "Status": "tools",
    "Tool": "tools",
    "ToolNotFound": "errors",
    "ToolSource": "source.base",
    "UpstreamError": "errors",
    "Validate": "wrap.validate",
    "Verdict": "source.base",
    "Wrapper": "source.base",
    "answers": "source.answer",
    "ask": "source.answer",
    "ask_client": "wrap.approve",
    "ask_host": "wrap.approve",
    "build_request": "openapi.request",
    "error_of": "source.answer",
    "failed": "source.answer",
    "nest": "source.answer",
    "read_operations": "openapi.operations",
    "read_response": "openapi.response",
    "reads_run_writes_ask": "policy",
    "to_asgi": "server.asgi",
    "to_server": "server.lowlevel",
    "to_tool": "openapi.tool",
}
"""Each public name and the module it lives in; a test pins the list."""

__all__ = [  # pyright needs the words; a test holds them equal to `_HOME`
    "ANYONE",
    "ApiKey",
    "ApprovalRequired",
    "Approve",
    "AuthRequired",
    "Basic",
    "Bearer",
    "BridgeError",
    "Call",
    "Caller",
    "ClientChannel",
    "ConfigError",
    "DescriptionError",
    "Document",
    "Failure",
    "Filter",
    "Functions",
    "Headers",
    "Hidden",
    "InvalidArguments",
    "Limits",
    "McpSource",
    "Operation",
    "Origin",
    "Place",
    "Prefix",
    "Prompt",
    "Resource",
    "ResourceTemplate",
    "RestSource",
    "Router",
    "Secret",
    "Status",
    "Tool",
    "ToolNotFound",
    "ToolSource",
    "UpstreamError",
    "Validate",
    "Verdict",
    "Wrapper",
    "answers",
    "ask",
    "ask_client",
    "ask_host",
    "build_request",
    "error_of",
    "failed",
    "nest",
    "read_operations",
    "read_response",
    "reads_run_writes_ask",
    "to_asgi",
    "to_server",
    "to_tool",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'mcpbridge' has no attribute {name!r}")
    value = getattr(import_module(f"mcpbridge.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__]
