"""Gateways before real MCP servers that want tokens: the SDK's own, each with another way to say who issues them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
import uvicorn
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer

from authority import Authority, running_authority
from logins import ANN, BOB, Heard, host_of, log_in
from mcpbridge.audit.host import HostSink
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.errors import AuthRequired
from mcpbridge.gateway.gateway import Gateway
from mcpbridge.integrations.record import Integration
from mcpbridge.source.answer import error_of
from mcpbridge.store.open import open_store
from mcpbridge.tools import Call, Caller
from mcpbridge.wrap.audit_event import AuditEntry

pytestmark = pytest.mark.req("AUTH-07")


class Verifier:
    """Believes the tokens that the authority has issued."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority

    async def verify_token(self, token: str) -> AccessToken | None:
        issued = self.authority.by_access(token)
        if issued is None or not issued.is_good():
            return None
        return AccessToken(
            token=token, client_id=issued.client_id, scopes=issued.scope.split(), subject=issued.family.user
        )


@contextmanager
def notes_server(authority: Authority, *, issuer: str, tells: bool) -> Generator[str]:
    """The URL of an MCP server with one tool, which says who calls. `tells`: it publishes who issues its tokens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        settings = AuthSettings.model_validate(
            {
                "issuer_url": issuer,
                "resource_server_url": url if tells else None,
                "required_scopes": ["read"],
                "validate_token_resource": False,  # the authority's tokens name no resource
            }
        )
        notes = MCPServer("notes", token_verifier=Verifier(authority), auth=settings)

        @notes.tool()
        def me() -> str:
            token = get_access_token()
            return str(token and token.subject)

        app = notes.streamable_http_app()
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(timeout=5)


async def said(gateway: Gateway, caller: Caller) -> str:
    """Whom the server takes the caller for, or the code of the error."""
    try:
        result: Any = await gateway.call_tool(Call(name="notes__me", caller=caller))
    except AuthRequired as error:  # its tools can't be listed yet
        return error.code
    failure = error_of(result)
    return str(result.content[0].text) if failure is None else failure.code


async def state(gateway: Gateway, caller: Caller) -> str:
    return (await gateway.statuses(caller))["notes"].state


async def let_in(gateway: Gateway, caller: Caller, url: str) -> None:
    """A login of the caller's, on another replica."""
    stored = await gateway.find(caller, "notes")
    auth = stored.record.auth.used(replace(gateway.use(stored), url=url))
    await log_in(cast("AuthorizationCode", auth), caller)


@pytest.mark.parametrize(
    ("tells", "path", "auth"),
    [
        (True, "", {}),
        (True, "/tenant", {}),
        (False, "", {"issuer": "{}", "scopes": "read"}),
        (False, "/tenant", {"issuer": "{}/tenant", "scopes": "read"}),
    ],
)
async def test_a_server_that_wants_tokens_goes_from_auth_required_to_connected(
    tells: bool, path: str, auth: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="mcpbridge")
    heard, entries = Heard(), list[AuditEntry]()
    with running_authority() as authority:
        issuer = f"{authority.url}{path}"
        authority.metadata["issuer"] = issuer
        with notes_server(authority, issuer=issuer, tells=tells) as url:
            filled = {name: value.format(authority.url) for name, value in auth.items()}
            record = Integration(
                name="notes", protocol="mcp", url=url, trusted=True, auth={"type": "oauth2", **filled},
                tools={"approval": {"me": "auto"}},
            )  # fmt: skip
            async with open_store(":memory:") as store:
                sink = HostSink(entries.extend)
                async with Gateway([record], logins=host_of(store, heard), audit=sink) as gateway:
                    assert await said(gateway, ANN) == "auth_required"
                    assert await state(gateway, ANN) == "auth_required"

                    await let_in(gateway, ANN, url)

                    assert await said(gateway, ANN) == "ann"
                    assert await state(gateway, ANN) == "connected"
                    assert await said(gateway, BOB) == "auth_required"
    overrides = [event for event in map(AuditEntry.event, entries) if event["action"] == "issuer_override"]
    assert bool(overrides) == (not tells)
    assert all(event["details"] == {"server": issuer} and event["what"] == "sys_notes" for event in overrides)
    assert ("oauth issuer_override" in caplog.text) == (not tells)
