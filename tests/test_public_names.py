"""The public names: adding or removing one is a decision, made here."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import cast

import pytest

import mcpbridge

NAMES = """
ANYONE Allow AllowedCommand Answer ApiKey ApprovalRequest ApprovalRequired Approvals Approve Ask Audit AuditEvent
AuditLog AuthRequired AuthorizationCode AuthorizationServer Backoff Basic Bearer BridgeError Bus Call Caller
CallerToken Chain Change ClientChannel ClientCredentials ConfigError Connect Decision Deny DescriptionError Discover
Document Edit Failure FileSink Filter Finding Functions Gateway Guard Headers Hidden HmacSignature HostKey HostSink
Hours Integration Integrations IntrospectionVerifier InvalidArguments InvalidRecord Issuer Item JwtVerifier Kind
Limits LintSettings LocalBus LoginLinks LoginRefused Loss McpSource ModelTools OAuthClient OAuthEvent OAuthHost
Operation Origin PendingApprovals Place Prefix Problem Prompt Queue ReconnectRequired Resource ResourceMetadata
ResourceTemplate RestSource Restrict Retry Router Scope Secret Select SignatureRefused SignedJwt SourceDisabled Status
StoreBusy StoreConflict StoreError StoreFull StoreOutcomeUnknown StoreReadOnly StoreSink StoreUnavailable
TokenExchange TokenForward Tool ToolEdit ToolNotFound ToolSource Transition UpstreamError Validate Vault Verdict
Wrapper answers as_langchain as_openai_agents as_pydantic_ai ask ask_always ask_client ask_client_of ask_host
auth_from build_request client_certificate declare diff error_of failed fetch_document first_of for_model guarded
integration_schema lint metadata_routes nest oauth_routes open_gateway open_store propose_auth read_only
read_operations read_response reads_run_writes_ask strictest to_asgi to_server to_tool verify_entries verify_files
"""

PUBLIC = NAMES.split()

HOME = cast("dict[str, str]", vars(mcpbridge)["_HOME"])


def _for_type_checkers() -> dict[str, str]:
    tree = ast.parse(Path(mcpbridge.__file__).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    return {
        alias.name: (node.module or "").removeprefix("mcpbridge.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_the_list_of_public_names_is_pinned() -> None:
    assert mcpbridge.__all__ == PUBLIC


def test_public_names_are_sorted_and_told_once() -> None:
    assert sorted(set(PUBLIC)) == PUBLIC


def test_every_public_name_has_a_home() -> None:
    assert list(HOME) == mcpbridge.__all__


def test_type_checkers_see_the_same_names_and_homes() -> None:
    assert _for_type_checkers() == HOME


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_can_be_imported(name: str) -> None:
    assert getattr(mcpbridge, name) is not None


def test_an_unknown_name_is_an_attribute_error_that_says_which() -> None:
    with pytest.raises(AttributeError, match="'Manager'"):
        mcpbridge.__getattr__("Manager")


def test_dir_lists_the_public_names() -> None:
    assert dir(mcpbridge) == PUBLIC
