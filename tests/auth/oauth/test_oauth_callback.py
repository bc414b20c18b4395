"""The routes that browsers come back to."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from authority import Authority
from logins import ANN, BOB, agreed, cookies, host_of
from mcpbridge.auth.oauth.callback import Who, oauth_routes
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.keys import Key
from mcpbridge.auth.oauth.login import Begun
from mcpbridge.store.store import Store
from mcpbridge.tools import Caller


def at(store: Store, authority: Authority, **settings: Any) -> AuthorizationCode:
    return AuthorizationCode(host_of(store, **settings), "notes", resource=f"{authority.url}/api")


async def came_back(
    auth: AuthorizationCode, query: str, brought: dict[str, str], who: Who | None = None
) -> httpx2.Response:
    """What a browser gets at the callback."""

    async def find(key: Key) -> AuthorizationCode | None:
        return auth if key.integration == auth.integration else None

    app = Starlette(routes=[*oauth_routes(auth.host, find, who=who)])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), cookies=brought) as browser:
        return await browser.get(f"http://127.0.0.1:9/oauth/callback?{query}")


async def ann(_request: Request) -> Caller:
    return ANN


async def bob(_request: Request) -> Caller:
    return BOB


@pytest.mark.req("AUTH-07", "ATK-44")
@pytest.mark.parametrize("who", [None, ann])
async def test_a_browser_ends_where_its_login_was_begun(memory: Store, authority: Authority, who: Who | None) -> None:
    auth = at(memory, authority)
    begun = await auth.begin(ANN, return_to="/tools?done=1")

    answer = await came_back(auth, await agreed(begun), cookies(begun), who)

    assert (answer.status_code, answer.headers["location"]) == (303, "/tools?done=1")
    assert await auth.logged_in(ANN)


@pytest.mark.req("AUTH-07")
async def test_a_login_without_a_place_to_return_to_ends_on_a_page(memory: Store, authority: Authority) -> None:
    auth = at(memory, authority)
    begun = await auth.begin(ANN)

    answer = await came_back(auth, await agreed(begun), cookies(begun))

    assert answer.status_code == 200
    assert "The login is done" in answer.text


@pytest.mark.req("ATK-44")
async def test_the_page_escapes_what_the_server_said_and_can_not_be_framed(memory: Store, authority: Authority) -> None:
    auth = at(memory, authority)
    begun = await auth.begin(ANN)
    state = httpx2.URL(begun.url).params["state"]
    said = "<script>alert(1)</script>"

    answer = await came_back(
        auth, f"state={state}&iss={authority.url}&error={said}&error_description={said}", cookies(begun)
    )

    assert answer.status_code == 400
    assert "<script" not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")


@pytest.mark.req("ATK-38", "AUTH-08")
async def test_a_browser_of_somebody_else_can_not_finish_a_login(memory: Store, authority: Authority) -> None:
    auth = at(memory, authority)
    begun = await auth.begin(ANN)
    query = await agreed(begun)

    assert (await came_back(auth, query, {})).status_code == 403
    assert (await came_back(auth, query, cookies(begun), bob)).status_code == 400
    assert not await auth.logged_in(ANN)


@pytest.mark.req("ATK-37")
@pytest.mark.parametrize("query", ["", "code=x", "state=x&code=x", "state=%ff", "state=" + "a" * 43])
async def test_a_callback_without_a_login_is_one_and_the_same_page(
    memory: Store, authority: Authority, query: str
) -> None:
    answer = await came_back(at(memory, authority), query, {})

    assert answer.status_code == 400
    assert "this login is unknown, over, or was finished already" in answer.text


@pytest.mark.req("AUTH-07")
async def test_a_server_that_is_down_at_the_end_of_a_login_is_told(memory: Store, authority: Authority) -> None:
    auth = at(memory, authority)
    begun: Begun = await auth.begin(ANN)
    query = await agreed(begun)
    authority.down = True

    answer = await came_back(auth, query, cookies(begun))

    assert answer.status_code == 502
    assert "begin the login again" in answer.text


@pytest.mark.req("AUTH-09")
async def test_the_gateways_client_document_is_served(memory: Store, authority: Authority) -> None:
    url = "https://gateway.example/oauth/client.json"
    auth = at(memory, authority, client_url=url, client_name="Acme tools")
    app = Starlette(routes=[*oauth_routes(auth.host, lambda _key: auth)])

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app)) as anybody:
        document = (await anybody.get(url)).json()

    assert (document["client_id"], document["client_name"]) == (url, "Acme tools")
    assert document["redirect_uris"] == [auth.host.redirect_uri]
    assert document["token_endpoint_auth_method"] == "none"
