"""mcpbridge: composable classes with which a host builds its own MCP gateway.

Every public name is imported from here. Names are loaded when they are first used (PEP 562), so that importing
mcpbridge, the converter, lint or diff costs neither the MCP SDK nor an HTTP client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcpbridge.adapters.langchain import as_langchain as as_langchain
    from mcpbridge.adapters.openai_agents import as_openai_agents as as_openai_agents
    from mcpbridge.adapters.pydantic_ai import as_pydantic_ai as as_pydantic_ai
    from mcpbridge.approvals.approvals import Approvals as Approvals
    from mcpbridge.audit.chains import verify_entries as verify_entries
    from mcpbridge.audit.file import FileSink as FileSink
    from mcpbridge.audit.file import verify_files as verify_files
    from mcpbridge.audit.host import HostSink as HostSink
    from mcpbridge.audit.stored import StoreSink as StoreSink
    from mcpbridge.auth.certificate import client_certificate as client_certificate
    from mcpbridge.auth.chain import Chain as Chain
    from mcpbridge.auth.hmac_signature import HmacSignature as HmacSignature
    from mcpbridge.auth.hmac_verified import SignatureRefused as SignatureRefused
    from mcpbridge.auth.jwt import SignedJwt as SignedJwt
    from mcpbridge.auth.oauth.callback import oauth_routes as oauth_routes
    from mcpbridge.auth.oauth.code import AuthorizationCode as AuthorizationCode
    from mcpbridge.auth.oauth.credentials import ClientCredentials as ClientCredentials
    from mcpbridge.auth.oauth.errors import LoginRefused as LoginRefused
    from mcpbridge.auth.oauth.errors import ReconnectRequired as ReconnectRequired
    from mcpbridge.auth.oauth.events import OAuthEvent as OAuthEvent
    from mcpbridge.auth.oauth.exchange import TokenExchange as TokenExchange
    from mcpbridge.auth.oauth.forward import TokenForward as TokenForward
    from mcpbridge.auth.oauth.links import LoginLinks as LoginLinks
    from mcpbridge.auth.oauth.setting import OAuthHost as OAuthHost
    from mcpbridge.auth.oauth.values import AuthorizationServer as AuthorizationServer
    from mcpbridge.auth.oauth.values import OAuthClient as OAuthClient
    from mcpbridge.auth.proposed import auth_from as auth_from
    from mcpbridge.auth.static import ApiKey as ApiKey
    from mcpbridge.auth.static import Basic as Basic
    from mcpbridge.auth.static import Bearer as Bearer
    from mcpbridge.auth.static import Headers as Headers
    from mcpbridge.build import guarded as guarded
    from mcpbridge.compare.changes import Change as Change
    from mcpbridge.compare.tools import diff as diff
    from mcpbridge.dialects.loss import Loss as Loss
    from mcpbridge.dialects.model import ModelTools as ModelTools
    from mcpbridge.dialects.model import for_model as for_model
    from mcpbridge.discover.discover import Discover as Discover
    from mcpbridge.errors import ApprovalRequired as ApprovalRequired
    from mcpbridge.errors import AuthRequired as AuthRequired
    from mcpbridge.errors import BridgeError as BridgeError
    from mcpbridge.errors import ConfigError as ConfigError
    from mcpbridge.errors import DescriptionError as DescriptionError
    from mcpbridge.errors import Failure as Failure
    from mcpbridge.errors import InvalidArguments as InvalidArguments
    from mcpbridge.errors import SourceDisabled as SourceDisabled
    from mcpbridge.errors import ToolNotFound as ToolNotFound
    from mcpbridge.errors import UpstreamError as UpstreamError
    from mcpbridge.gateway.filed import open_gateway as open_gateway
    from mcpbridge.gateway.gateway import Gateway as Gateway
    from mcpbridge.gateway.health import Transition as Transition
    from mcpbridge.integrations.errors import InvalidRecord as InvalidRecord
    from mcpbridge.integrations.record import Integration as Integration
    from mcpbridge.integrations.record import integration_schema as integration_schema
    from mcpbridge.integrations.registry import Integrations as Integrations
    from mcpbridge.linting.rule import Finding as Finding
    from mcpbridge.linting.run import lint as lint
    from mcpbridge.linting.settings import LintSettings as LintSettings
    from mcpbridge.net.documents import fetch_document as fetch_document
    from mcpbridge.net.guard import Guard as Guard
    from mcpbridge.net.limits import Limits as Limits
    from mcpbridge.openapi.declare import declare as declare
    from mcpbridge.openapi.document import Document as Document
    from mcpbridge.openapi.operation import Operation as Operation
    from mcpbridge.openapi.operation import Place as Place
    from mcpbridge.openapi.operations import read_operations as read_operations
    from mcpbridge.openapi.problems import Problem as Problem
    from mcpbridge.openapi.request import build_request as build_request
    from mcpbridge.openapi.response import read_response as read_response
    from mcpbridge.openapi.security import propose_auth as propose_auth
    from mcpbridge.openapi.select import Select as Select
    from mcpbridge.openapi.tool import to_tool as to_tool
    from mcpbridge.policy import Allow as Allow
    from mcpbridge.policy import Ask as Ask
    from mcpbridge.policy import Deny as Deny
    from mcpbridge.policy import ask_always as ask_always
    from mcpbridge.policy import read_only as read_only
    from mcpbridge.policy import reads_run_writes_ask as reads_run_writes_ask
    from mcpbridge.policy import strictest as strictest
    from mcpbridge.rest import RestSource as RestSource
    from mcpbridge.router import Router as Router
    from mcpbridge.secret import Secret as Secret
    from mcpbridge.server.asgi import to_asgi as to_asgi
    from mcpbridge.server.bus import Bus as Bus
    from mcpbridge.server.bus import LocalBus as LocalBus
    from mcpbridge.server.lowlevel import to_server as to_server
    from mcpbridge.server.metadata import ResourceMetadata as ResourceMetadata
    from mcpbridge.server.metadata import metadata_routes as metadata_routes
    from mcpbridge.server.verify import Issuer as Issuer
    from mcpbridge.server.verify import JwtVerifier as JwtVerifier
    from mcpbridge.server.verify_introspection import IntrospectionVerifier as IntrospectionVerifier
    from mcpbridge.server.verify_token import CallerToken as CallerToken
    from mcpbridge.source.answer import answers as answers
    from mcpbridge.source.answer import ask as ask
    from mcpbridge.source.answer import error_of as error_of
    from mcpbridge.source.answer import failed as failed
    from mcpbridge.source.answer import nest as nest
    from mcpbridge.source.base import Answer as Answer
    from mcpbridge.source.base import Hidden as Hidden
    from mcpbridge.source.base import ToolSource as ToolSource
    from mcpbridge.source.base import Verdict as Verdict
    from mcpbridge.source.base import Wrapper as Wrapper
    from mcpbridge.store.errors import StoreBusy as StoreBusy
    from mcpbridge.store.errors import StoreConflict as StoreConflict
    from mcpbridge.store.errors import StoreError as StoreError
    from mcpbridge.store.errors import StoreFull as StoreFull
    from mcpbridge.store.errors import StoreOutcomeUnknown as StoreOutcomeUnknown
    from mcpbridge.store.errors import StoreReadOnly as StoreReadOnly
    from mcpbridge.store.errors import StoreUnavailable as StoreUnavailable
    from mcpbridge.store.open import open_store as open_store
    from mcpbridge.tools import ANYONE as ANYONE
    from mcpbridge.tools import Call as Call
    from mcpbridge.tools import Caller as Caller
    from mcpbridge.tools import ClientChannel as ClientChannel
    from mcpbridge.tools import Item as Item
    from mcpbridge.tools import Kind as Kind
    from mcpbridge.tools import Origin as Origin
    from mcpbridge.tools import Prompt as Prompt
    from mcpbridge.tools import Resource as Resource
    from mcpbridge.tools import ResourceTemplate as ResourceTemplate
    from mcpbridge.tools import Status as Status
    from mcpbridge.tools import Tool as Tool
    from mcpbridge.upstream.backoff import Backoff as Backoff
    from mcpbridge.upstream.commands import AllowedCommand as AllowedCommand
    from mcpbridge.upstream.functions import Functions as Functions
    from mcpbridge.upstream.source import McpSource as McpSource
    from mcpbridge.vault.host import HostKey as HostKey
    from mcpbridge.vault.vault import Vault as Vault
    from mcpbridge.wrap.approval import ApprovalRequest as ApprovalRequest
    from mcpbridge.wrap.approval import Decision as Decision
    from mcpbridge.wrap.approval_memory import PendingApprovals as PendingApprovals
    from mcpbridge.wrap.approve import Approve as Approve
    from mcpbridge.wrap.approve import ask_client as ask_client
    from mcpbridge.wrap.approve import ask_host as ask_host
    from mcpbridge.wrap.approvers import Queue as Queue
    from mcpbridge.wrap.approvers import ask_client_of as ask_client_of
    from mcpbridge.wrap.approvers import first_of as first_of
    from mcpbridge.wrap.audit import Audit as Audit
    from mcpbridge.wrap.audit_event import AuditEvent as AuditEvent
    from mcpbridge.wrap.audit_log import AuditLog as AuditLog
    from mcpbridge.wrap.connect import Connect as Connect
    from mcpbridge.wrap.edit import Edit as Edit
    from mcpbridge.wrap.edit import ToolEdit as ToolEdit
    from mcpbridge.wrap.filter import Filter as Filter
    from mcpbridge.wrap.prefix import Prefix as Prefix
    from mcpbridge.wrap.retry import Retry as Retry
    from mcpbridge.wrap.validate import Validate as Validate
    from mcpbridge.wrap.visible import Restrict as Restrict
    from mcpbridge.wrap.visible_hours import Hours as Hours
    from mcpbridge.wrap.visible_scope import Scope as Scope

_HOME = {
    "ANYONE": "tools",
    "Allow": "policy",
    "AllowedCommand": "upstream.commands",
    "Answer": "source.base",
    "ApiKey": "auth.static",
    "ApprovalRequest": "wrap.approval",
    "ApprovalRequired": "errors",
    "Approvals": "approvals.approvals",
    "Approve": "wrap.approve",
    "Ask": "policy",
    "Audit": "wrap.audit",
    "AuditEvent": "wrap.audit_event",
    "AuditLog": "wrap.audit_log",
    "AuthRequired": "errors",
    "AuthorizationCode": "auth.oauth.code",
    "AuthorizationServer": "auth.oauth.values",
    "Backoff": "upstream.backoff",
    "Basic": "auth.static",
    "Bearer": "auth.static",
    "BridgeError": "errors",
    "Bus": "server.bus",
    "Call": "tools",
    "Caller": "tools",
    "CallerToken": "server.verify_token",
    "Chain": "auth.chain",
    "Change": "compare.changes",
    "ClientChannel": "tools",
    "ClientCredentials": "auth.oauth.credentials",
    "ConfigError": "errors",
    "Connect": "wrap.connect",
    "Decision": "wrap.approval",
    "Deny": "policy",
    "DescriptionError": "errors",
    "Discover": "discover.discover",
    "Document": "openapi.document",
    "Edit": "wrap.edit",
    "Failure": "errors",
    "FileSink": "audit.file",
    "Filter": "wrap.filter",
    "Finding": "linting.rule",
    "Functions": "upstream.functions",
    "Gateway": "gateway.gateway",
    "Guard": "net.guard",
    "Headers": "auth.static",
    "Hidden": "source.base",
    "HmacSignature": "auth.hmac_signature",
    "HostKey": "vault.host",
    "HostSink": "audit.host",
    "Hours": "wrap.visible_hours",
    "Integration": "integrations.record",
    "Integrations": "integrations.registry",
    "IntrospectionVerifier": "server.verify_introspection",
    "InvalidArguments": "errors",
    "InvalidRecord": "integrations.errors",
    "Issuer": "server.verify",
    "Item": "tools",
    "JwtVerifier": "server.verify",
    "Kind": "tools",
    "Limits": "net.limits",
    "LintSettings": "linting.settings",
    "LocalBus": "server.bus",
    "LoginLinks": "auth.oauth.links",
    "LoginRefused": "auth.oauth.errors",
    "Loss": "dialects.loss",
    "McpSource": "upstream.source",
    "ModelTools": "dialects.model",
    "OAuthClient": "auth.oauth.values",
    "OAuthEvent": "auth.oauth.events",
    "OAuthHost": "auth.oauth.setting",
    "Operation": "openapi.operation",
    "Origin": "tools",
    "PendingApprovals": "wrap.approval_memory",
    "Place": "openapi.operation",
    "Prefix": "wrap.prefix",
    "Problem": "openapi.problems",
    "Prompt": "tools",
    "Queue": "wrap.approvers",
    "ReconnectRequired": "auth.oauth.errors",
    "Resource": "tools",
    "ResourceMetadata": "server.metadata",
    "ResourceTemplate": "tools",
    "RestSource": "rest",
    "Restrict": "wrap.visible",
    "Retry": "wrap.retry",
    "Router": "router",
    "Scope": "wrap.visible_scope",
    "Secret": "secret",
    "Select": "openapi.select",
    "SignatureRefused": "auth.hmac_verified",
    "SignedJwt": "auth.jwt",
    "SourceDisabled": "errors",
    "Status": "tools",
    "StoreBusy": "store.errors",
    "StoreConflict": "store.errors",
    "StoreError": "store.errors",
    "StoreFull": "store.errors",
    "StoreOutcomeUnknown": "store.errors",
    "StoreReadOnly": "store.errors",
    "StoreSink": "audit.stored",
    "StoreUnavailable": "store.errors",
    "TokenExchange": "auth.oauth.exchange",
    "TokenForward": "auth.oauth.forward",
    "Tool": "tools",
    "ToolEdit": "wrap.edit",
    "ToolNotFound": "errors",
    "ToolSource": "source.base",
    "Transition": "gateway.health",
    "UpstreamError": "errors",
    "Validate": "wrap.validate",
    "Vault": "vault.vault",
    "Verdict": "source.base",
    "Wrapper": "source.base",
    "answers": "source.answer",
    "as_langchain": "adapters.langchain",
    "as_openai_agents": "adapters.openai_agents",
    "as_pydantic_ai": "adapters.pydantic_ai",
    "ask": "source.answer",
    "ask_always": "policy",
    "ask_client": "wrap.approve",
    "ask_client_of": "wrap.approvers",
    "ask_host": "wrap.approve",
    "auth_from": "auth.proposed",
    "build_request": "openapi.request",
    "client_certificate": "auth.certificate",
    "declare": "openapi.declare",
    "diff": "compare.tools",
    "error_of": "source.answer",
    "failed": "source.answer",
    "fetch_document": "net.documents",
    "first_of": "wrap.approvers",
    "for_model": "dialects.model",
    "guarded": "build",
    "integration_schema": "integrations.record",
    "lint": "linting.run",
    "metadata_routes": "server.metadata",
    "nest": "source.answer",
    "oauth_routes": "auth.oauth.callback",
    "open_gateway": "gateway.filed",
    "open_store": "store.open",
    "propose_auth": "openapi.security",
    "read_only": "policy",
    "read_operations": "openapi.operations",
    "read_response": "openapi.response",
    "reads_run_writes_ask": "policy",
    "strictest": "policy",
    "to_asgi": "server.asgi",
    "to_server": "server.lowlevel",
    "to_tool": "openapi.tool",
    "verify_entries": "audit.chains",
    "verify_files": "audit.file",
}
"""Each public name and the module it lives in; a test pins the list."""

__all__ = [  # pyright needs the words; a test holds them equal to `_HOME`
    "ANYONE",
    "Allow",
    "AllowedCommand",
    "Answer",
    "ApiKey",
    "ApprovalRequest",
    "ApprovalRequired",
    "Approvals",
    "Approve",
    "Ask",
    "Audit",
    "AuditEvent",
    "AuditLog",
    "AuthRequired",
    "AuthorizationCode",
    "AuthorizationServer",
    "Backoff",
    "Basic",
    "Bearer",
    "BridgeError",
    "Bus",
    "Call",
    "Caller",
    "CallerToken",
    "Chain",
    "Change",
    "ClientChannel",
    "ClientCredentials",
    "ConfigError",
    "Connect",
    "Decision",
    "Deny",
    "DescriptionError",
    "Discover",
    "Document",
    "Edit",
    "Failure",
    "FileSink",
    "Filter",
    "Finding",
    "Functions",
    "Gateway",
    "Guard",
    "Headers",
    "Hidden",
    "HmacSignature",
    "HostKey",
    "HostSink",
    "Hours",
    "Integration",
    "Integrations",
    "IntrospectionVerifier",
    "InvalidArguments",
    "InvalidRecord",
    "Issuer",
    "Item",
    "JwtVerifier",
    "Kind",
    "Limits",
    "LintSettings",
    "LocalBus",
    "LoginLinks",
    "LoginRefused",
    "Loss",
    "McpSource",
    "ModelTools",
    "OAuthClient",
    "OAuthEvent",
    "OAuthHost",
    "Operation",
    "Origin",
    "PendingApprovals",
    "Place",
    "Prefix",
    "Problem",
    "Prompt",
    "Queue",
    "ReconnectRequired",
    "Resource",
    "ResourceMetadata",
    "ResourceTemplate",
    "RestSource",
    "Restrict",
    "Retry",
    "Router",
    "Scope",
    "Secret",
    "Select",
    "SignatureRefused",
    "SignedJwt",
    "SourceDisabled",
    "Status",
    "StoreBusy",
    "StoreConflict",
    "StoreError",
    "StoreFull",
    "StoreOutcomeUnknown",
    "StoreReadOnly",
    "StoreSink",
    "StoreUnavailable",
    "TokenExchange",
    "TokenForward",
    "Tool",
    "ToolEdit",
    "ToolNotFound",
    "ToolSource",
    "Transition",
    "UpstreamError",
    "Validate",
    "Vault",
    "Verdict",
    "Wrapper",
    "answers",
    "as_langchain",
    "as_openai_agents",
    "as_pydantic_ai",
    "ask",
    "ask_always",
    "ask_client",
    "ask_client_of",
    "ask_host",
    "auth_from",
    "build_request",
    "client_certificate",
    "declare",
    "diff",
    "error_of",
    "failed",
    "fetch_document",
    "first_of",
    "for_model",
    "guarded",
    "integration_schema",
    "lint",
    "metadata_routes",
    "nest",
    "oauth_routes",
    "open_gateway",
    "open_store",
    "propose_auth",
    "read_only",
    "read_operations",
    "read_response",
    "reads_run_writes_ask",
    "strictest",
    "to_asgi",
    "to_server",
    "to_tool",
    "verify_entries",
    "verify_files",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'mcpbridge' has no attribute {name!r}")
    value = getattr(import_module(f"mcpbridge.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__]
