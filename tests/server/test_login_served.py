"""Users who log in at a real authorization server on the way, through a gateway that real clients call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
import mcp_types
import pytest
from mcp import Client
from mcp.server.auth.provider import AccessToken
from shelf import Shelf, served, text_of
from starlette.applications import Starlette

from authority import Authority, running_authority
from logins import CALLBACK, agreed, host_of
from mcpbridge.auth.oauth.callback import oauth_routes
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.links import LoginLinks
from mcpbridge.auth.oauth.login import COOKIE, Begun
from mcpbridge.openapi.declare import declare
from mcpbridge.rest import RestSource
from mcpbridge.router import Router
from mcpbridge.secret import Secret
from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.identity import IdentifyCaller
from mcpbridge.server.lowlevel import to_server
from mcpbridge.server.metadata import ResourceMetadata
from mcpbridge.source.answer import error_of
from mcpbridge.store.open import open_store
from mcpbridge.store.store import Store
from mcpbridge.tools import Caller
from mcpbridge.upstream.source import McpSource
from mcpbridge.wrap.connect import Connect

ME = declare(name="me", description="Who I am", method="GET", path="/api")


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    async with open_store(":memory:") as store:
        yield store


@pytest.fixture(scope="module")
def authority() -> Any:
    with running_authority() as authority:
        yield authority


class Person:
    """A user who opens every page that a client shows, in a browser, and logs in there; `opened` counts."""

    def __init__(self, auth: AuthorizationCode, user: str, *, opens: bool = True) -> None:
        self.auth = auth
        self.user = user
        self.opens = opens
        self.opened: list[str] = []

    async def __call__(self, context: Any, params: mcp_types.ElicitRequestParams) -> mcp_types.ElicitResult:
        assert isinstance(params, mcp_types.ElicitRequestURLParams)
        self.opened.append(params.url)
        if not self.opens:
            return mcp_types.ElicitResult(action="decline")
        self.task = asyncio.create_task(self.log_in(params.url))  # the client says yes while the page is open still
        return mcp_types.ElicitResult(action="accept")

    async def log_in(self, url: str) -> None:
        app = Starlette(routes=[*oauth_routes(self.auth.host, lambda _key: self.auth)])
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app)) as browser:
            begun = await browser.post(url, headers={"Origin": "http://127.0.0.1:9"})
            login = Begun(url=begun.headers["location"], browser=Secret(browser.cookies[COOKIE]), secure=False)
            done = await browser.get(f"{CALLBACK}?{await agreed(login, self.user)}")
        assert done.status_code == 200


def as_user(user: str) -> IdentifyCaller:
    async def identify(_ctx: Any) -> Caller:
        return Caller(tenant="acme", user=user)

    return identify


def notes_at(authority: Authority, auth: AuthorizationCode) -> Connect:
    return Connect(RestSource([ME], base_url=authority.url, auth=auth), LoginLinks(auth), poll=0.02)


def at(store: Store, authority: Authority) -> AuthorizationCode:
    return AuthorizationCode(host_of(store), "notes", resource=f"{authority.url}/api")


@pytest.mark.req("AUTH-13")
async def test_the_call_that_needed_a_login_goes_through_in_both_eras(
    store: Store, authority: Authority, era: str
) -> None:
    auth = at(store, authority)
    async with Router({"notes": notes_at(authority, auth)}) as gateway:
        for user in ("ann", "bob"):
            person = Person(auth, user)
            server = to_server(gateway, name="notes", identify=as_user(user))
            async with Client(server, mode=era, elicitation_callback=person) as client:
                answers = [await client.call_tool("notes__me") for _ in range(2)]
            assert [answer.structured_content and answer.structured_content["user"] for answer in answers] == [user] * 2
            assert len(person.opened) == 1


@pytest.mark.req("AUTH-13")
async def test_a_user_who_does_not_agree_is_not_called_for(store: Store, authority: Authority, era: str) -> None:
    auth = at(store, authority)
    person = Person(auth, "ann", opens=False)
    async with notes_at(authority, auth) as source:
        server = to_server(source, name="notes", identify=as_user("ann"))
        async with Client(server, mode=era, elicitation_callback=person) as client:
            failure = error_of(await client.call_tool("me"))
    assert failure is not None
    assert failure.code == "login_declined"


@pytest.mark.req("AUTH-13")
async def test_a_client_that_cant_be_asked_gets_the_url_and_calls_again(
    store: Store, authority: Authority, era: str
) -> None:
    auth = at(store, authority)
    async with notes_at(authority, auth) as source:
        server = to_server(source, name="notes", identify=as_user("ann"))
        async with Client(server, mode=era) as client:
            failure = error_of(await client.call_tool("me"))
            assert failure is not None
            await Person(auth, "ann").log_in(failure.details["url"])
            answer = await client.call_tool("me")
    assert (failure.code, error_of(answer)) == ("auth_required", None)


class Tokens:
    """Knows the authority's tokens, as an MCP server behind us that takes them."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority

    async def verify_token(self, token: str) -> AccessToken | None:
        issued = self.authority.by_access(token)
        if issued is None or not issued.is_good():
            return None
        return AccessToken(token=token, client_id=issued.client_id, scopes=[], subject=issued.family.user)


@asynccontextmanager
async def upstream(authority: Authority) -> AsyncGenerator[str]:
    """An MCP server that publishes where to log in, as `to_asgi` serves it."""
    late: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await late[0](scope, receive, send)

    async with served(app) as url:
        resource = ResourceMetadata(url=url, issuers=[authority.url])
        late.append(to_asgi(to_server(Shelf(), name="shelf"), verifier=Tokens(authority), resource=resource))
        yield url


@pytest.mark.req("GW-13", "AUTH-13")
async def test_an_mcp_server_shows_connect_and_then_its_tools(store: Store, authority: Authority, era: str) -> None:
    news: asyncio.Queue[str] = asyncio.Queue()

    async def heard(message: Any) -> None:
        if "list_changed" in str(getattr(message, "method", "")) or "list_changed" in str(message):
            news.put_nowait("changed")

    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(upstream(authority))
        auth = AuthorizationCode(host_of(store), "shelf", resource=url)
        source = Connect(McpSource(url, auth=auth), LoginLinks(auth), poll=0.02)
        gateway = await stack.enter_async_context(Router({"shelf": source}))
        server = to_server(gateway, name="gateway", identify=as_user("ann"), pause=0.01)
        person = Person(auth, "ann")
        client = await stack.enter_async_context(
            Client(server, mode=era, elicitation_callback=person, message_handler=heard)
        )
        before = [tool.name for tool in (await client.list_tools(cache_mode="refresh")).tools]
        status = await gateway.status(Caller(tenant="acme", user="ann"))
        connected = await client.call_tool("shelf__connect")
        after = [tool.name for tool in (await client.list_tools(cache_mode="refresh")).tools]
        called = await client.call_tool("shelf__secret")
        if era == "legacy":
            async with asyncio.timeout(10):
                await news.get()
    assert (before, status.state) == (["shelf__connect"], "auth_required")
    assert error_of(connected) is None
    assert "shelf__secret" in after
    assert "shelf__connect" not in after
    assert text_of(called) == "ann"
