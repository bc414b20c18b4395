"""`oauth_routes`: where browsers come back to after a login, and the gateway's client metadata document."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from html import escape
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from mcpbridge.auth.oauth.checks import local_path
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.errors import LoginRefused
from mcpbridge.auth.oauth.forms import client_document
from mcpbridge.auth.oauth.keys import Key
from mcpbridge.auth.oauth.login import UNKNOWN, Browser
from mcpbridge.auth.oauth.logins import LoginStore
from mcpbridge.auth.oauth.setting import OAuthHost
from mcpbridge.errors import BridgeError, UpstreamError
from mcpbridge.tools import Caller

Find: TypeAlias = Callable[[Key], AuthorizationCode | Awaitable[AuthorizationCode | None] | None]
"""The strategy of a tenant's integration; None where it is gone."""

Who: TypeAlias = Callable[[Request], Awaitable[Caller]]
"""Whose browser it is, by the host's own session. Raising: nobody's."""

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def oauth_routes(host: OAuthHost, find: Find, *, who: Who | None = None) -> Sequence[Route]:
    """The routes of `redirect_uri` and `client_url`, for any Starlette or FastAPI app.

    A login ends with a redirect to its `return_to`, or with a page that says so. `who` tells whose browser it is; a
    login of somebody else is refused then.
    """

    async def callback(request: Request) -> Response:
        try:
            return await _finished(host, find, request, None if who is None else await who(request))
        except LoginRefused as error:
            return _page("The login failed", str(error), error.status)
        except UpstreamError as error:
            hint = error.failure.hint
            return _page("The login failed", f"{error}. {hint} Then begin the login again.", 502)
        except BridgeError:
            return _page("The login failed", "It can't be finished now: begin it again.", 503)

    routes = [Route(urlsplit(host.redirect_uri).path or "/", callback, methods=["GET"])]
    if host.client_url is not None:
        document = client_document(host.client_name, host.redirect_uri, url=host.client_url)

        async def metadata(_request: Request) -> Response:
            return JSONResponse(document, headers={"Cache-Control": "public, max-age=3600"})

        routes.append(Route(urlsplit(host.client_url).path or "/", metadata, methods=["GET"]))
    return routes


async def _finished(host: OAuthHost, find: Find, request: Request, caller: Caller | None) -> Response:
    browser = Browser.of(request.url.query, request.cookies)
    pending = None if browser.state is None else await LoginStore(host.store, host.vault).find(browser.state)
    found = None if pending is None else find(pending.key)
    strategy = await found if inspect.isawaitable(found) else found
    if strategy is None:
        raise LoginRefused(UNKNOWN)
    done = await strategy.complete(request.url.query, request.cookies, caller=caller)
    if done.return_to is not None and local_path(done.return_to):
        return RedirectResponse(done.return_to, 303, headers=_HEADERS)
    return _page("The login is done", "You can close this window, and go on where you were.", 200)


def _page(title: str, text: str, status: int) -> Response:
    body = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><h1>{escape(title)}</h1>"
    return HTMLResponse(f"{body}<p>{escape(text)}</p></html>", status, headers=_HEADERS)
