"""`oauth_routes`: where browsers come back to after a login, and the gateway's client metadata document."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from mcpbridge.auth.oauth.checks import local_path
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.errors import LoginRefused
from mcpbridge.auth.oauth.forms import client_document
from mcpbridge.auth.oauth.keys import Key, key_of
from mcpbridge.auth.oauth.links import PARAMETER, STALE, Tickets, begin_with
from mcpbridge.auth.oauth.login import UNKNOWN, Browser, secret_of
from mcpbridge.auth.oauth.logins import LoginStore
from mcpbridge.auth.oauth.metadata import origin_of
from mcpbridge.auth.oauth.pages import HEADERS, asking, page
from mcpbridge.auth.oauth.setting import OAuthHost
from mcpbridge.errors import BridgeError, UpstreamError
from mcpbridge.tools import Caller

Find: TypeAlias = Callable[[Key], AuthorizationCode | Awaitable[AuthorizationCode | None] | None]
"""The strategy of a tenant's integration; None where it is gone."""

Who: TypeAlias = Callable[[Request], Awaitable[Caller]]
"""Whose browser it is, by the host's own session. Raising: nobody's."""


def oauth_routes(host: OAuthHost, find: Find, *, who: Who | None = None) -> Sequence[Route]:
    """The routes of `redirect_uri` and `client_url`, for any Starlette or FastAPI app.

    A login ends with a redirect to its `return_to`, or with a page that says so. The links of `LoginLinks` lead to the
    callback too. `who` tells whose browser it is; a login of somebody else is refused then. Without it, a page asks
    whoever opens a link whether they asked for it: give `who` where users are not to trust each other's links.
    """

    async def callback(request: Request) -> Response:
        try:
            caller = None if who is None else await who(request)
            if PARAMETER in request.query_params:
                return await _opened(host, find, request, caller)
            return await _finished(host, find, request, caller)
        except LoginRefused as error:
            return page("The login failed", str(error), error.status)
        except UpstreamError as error:
            hint = error.failure.hint
            return page("The login failed", f"{error}. {hint} Then begin the login again.", 502)
        except BridgeError:
            return page("The login failed", "It can't be finished now: begin it again.", 503)

    routes = [Route(urlsplit(host.redirect_uri).path or "/", callback, methods=["GET", "POST"])]
    if host.client_url is not None:
        document = client_document(host.client_name, host.redirect_uri, url=host.client_url)

        async def metadata(_request: Request) -> Response:
            return JSONResponse(document, headers={"Cache-Control": "public, max-age=3600"})

        routes.append(Route(urlsplit(host.client_url).path or "/", metadata, methods=["GET"]))
    return routes


async def _opened(host: OAuthHost, find: Find, request: Request, caller: Caller | None) -> Response:
    """A link: the browser goes on to the authorization server, with its cookie, once it is known to be the caller's."""
    token = secret_of(request.query_params.get(PARAMETER))
    if token is None:
        raise LoginRefused(STALE)
    ticket = await Tickets(host).find(token)
    strategy = await _found(find, ticket.key)
    if strategy is None:
        raise LoginRefused(STALE)
    if caller is not None and key_of(caller, ticket.key.integration, shared=strategy.shared) != ticket.key:
        raise LoginRefused("this link is somebody else's: log in here as the user who got it", status=403)
    if caller is None and not (request.method == "POST" and _is_ours(request, host.redirect_uri)):
        return asking(ticket.name, ticket.key.user)
    begun = await begin_with(strategy, ticket, request.cookies)
    return RedirectResponse(begun.url, 303, headers={**HEADERS, "Set-Cookie": begun.set_cookie()})


def _is_ours(request: Request, url: str) -> bool:
    """Whether a form was sent from a page of our own origin (RFC 6454 section 7)."""
    return origin_of(request.headers.get("origin", "")) == origin_of(url)


async def _found(find: Find, key: Key) -> AuthorizationCode | None:
    found = find(key)
    return await found if inspect.isawaitable(found) else found


async def _finished(host: OAuthHost, find: Find, request: Request, caller: Caller | None) -> Response:
    browser = Browser.of(request.url.query, request.cookies)
    pending = None if browser.state is None else await LoginStore(host.store, host.vault).find(browser.state)
    strategy = None if pending is None else await _found(find, pending.key)
    if strategy is None or request.method != "GET":
        raise LoginRefused(UNKNOWN)
    done = await strategy.complete(request.url.query, request.cookies, caller=caller)
    if done.return_to is not None and local_path(done.return_to):
        return RedirectResponse(done.return_to, 303, headers=dict(HEADERS))
    return page("The login is done", "You can close this window, and go on where you were.", 200)
