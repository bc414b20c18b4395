"""Links that begin a login in the browser that opens them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from authority import Authority
from logins import ANN, BOB, CALLBACK, Heard, agreed, host_of, log_in
from mcpbridge.auth.oauth.callback import Who, oauth_routes
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.links import LoginLinks
from mcpbridge.auth.oauth.login import COOKIE, Begun
from mcpbridge.errors import AuthRequired
from mcpbridge.secret import Secret
from mcpbridge.store.store import Store
from mcpbridge.tools import ANYONE, Caller

OURS = "http://127.0.0.1:9"


def at(store: Store, authority: Authority) -> AuthorizationCode:
    return AuthorizationCode(host_of(store, Heard()), "notes", resource=f"{authority.url}/api")


@asynccontextmanager
async def browser(auth: AuthorizationCode, who: Who | None = None) -> AsyncGenerator[httpx2.AsyncClient]:
    app = Starlette(routes=[*oauth_routes(auth.host, lambda _key: auth, who=who)])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app)) as client:
        yield client


async def finished(opened: httpx2.AsyncClient, begun: httpx2.Response) -> httpx2.Response:
    """What the browser gets at the end, once its person has agreed at the authorization server."""
    cookie = Secret(opened.cookies[COOKIE])
    query = await agreed(Begun(url=begun.headers["location"], browser=cookie, secure=False))
    return await opened.get(f"{CALLBACK}?{query}")


def as_user(caller: Caller) -> Who:
    async def who(_request: Request) -> Caller:
        return caller

    return who


@pytest.mark.req("AUTH-13", "AUTH-08")
async def test_a_link_asks_and_then_logs_in_whom_it_is_for(memory: Store, authority: Authority) -> None:
    auth = at(memory, authority)
    url = await LoginLinks(auth).link(ANN)
    async with browser(auth) as opened:
        asked = await opened.get(url)
        begun = await opened.post(url, headers={"Origin": OURS})
        done = await finished(opened, begun)
    assert ("notes" in asked.text, "ann" in asked.text, COOKIE in asked.cookies) == (True, True, False)
    assert (begun.status_code, done.status_code) == (303, 200)
    assert (await auth.logged_in(ANN), await auth.logged_in(BOB)) == (True, False)


@pytest.mark.req("AUTH-13")
async def test_a_browser_that_is_known_goes_on_at_once(memory: Store, authority: Authority) -> None:
    auth = at(memory, authority)
    url = await LoginLinks(auth).link(ANN)
    async with browser(auth, as_user(ANN)) as opened:
        done = await finished(opened, await opened.get(url))
    assert (done.status_code, await auth.logged_in(ANN)) == (200, True)


@pytest.mark.req("AUTH-13", "ATK-44")
async def test_somebody_elses_link_is_refused(memory: Store, authority: Authority) -> None:
    auth = at(memory, authority)
    url = await LoginLinks(auth).link(ANN)
    async with browser(auth, as_user(BOB)) as opened:
        answers = [await opened.get(url), await opened.post(url, headers={"Origin": OURS})]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert authority.codes == {}


@pytest.mark.req("ATK-44")
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:99", ""])
async def test_a_form_of_another_site_begins_no_login(memory: Store, authority: Authority, origin: str) -> None:
    auth = at(memory, authority)
    url = await LoginLinks(auth).link(ANN)
    async with browser(auth) as opened:
        answer = await opened.post(url, headers={"Origin": origin} if origin else {})
    assert (answer.status_code, COOKIE in answer.cookies) == (200, False)
    assert "Go on only if" in answer.text


@pytest.mark.req("ATK-44")
async def test_the_page_escapes_names_and_cant_be_framed(memory: Store, authority: Authority) -> None:
    auth = at(memory, authority)
    url = await LoginLinks(auth).link(Caller(tenant="acme", user="<script>alert(1)</script>"))
    async with browser(auth) as opened:
        answer = await opened.get(url)
    assert "<script" not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]  # default-src 'none' covers it


async def test_a_link_is_over_after_the_login(memory: Store, authority: Authority) -> None:
    auth = at(memory, authority)
    links = LoginLinks(auth)
    url = await links.link(ANN)
    await log_in(auth)
    async with browser(auth) as opened:
        answer = await opened.get(url)
    assert (answer.status_code, await links.link(ANN) == url) == (400, False)


@pytest.mark.parametrize("token", ["", "short", "A" * 43, "../../etc/passwd"])
async def test_a_link_of_nobody_is_refused(memory: Store, authority: Authority, token: str) -> None:
    async with browser(at(memory, authority)) as opened:
        answer = await opened.get(CALLBACK, params={"login": token})
    assert answer.status_code == 400


async def test_a_state_of_a_login_is_no_link_and_a_link_no_state(memory: Store, authority: Authority) -> None:
    auth = at(memory, authority)
    link = urlsplit(await LoginLinks(auth).link(ANN)).query.removeprefix("login=")
    begun = await auth.begin(ANN)
    state = httpx2.URL(begun.url).params["state"]
    async with browser(auth) as opened:
        opened.cookies.set(COOKIE, begun.browser.reveal())
        answers = [
            await opened.get(CALLBACK, params={"login": state}),
            await opened.get(CALLBACK, params={"state": link, "code": "x"}),
        ]
    assert [answer.status_code for answer in answers] == [400, 400]


async def test_a_caller_gets_one_link_until_it_is_old(memory: Store, authority: Authority) -> None:
    now = [0.0]
    links = LoginLinks(at(memory, authority), clock=lambda: now[0])
    first, again, more = await links.link(ANN), await links.link(ANN), await links.link(ANN, ["write"])
    now[0] += 301.0
    assert (first == again, first == more, first == await links.link(ANN)) == (True, False, False)


async def test_nobody_gets_no_link(memory: Store, authority: Authority) -> None:
    with pytest.raises(AuthRequired):
        await LoginLinks(at(memory, authority)).link(ANYONE)
