"""`Logins`: begins a login, and finishes it with what the browser brings back. No framework, no browser."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import parse_qs

from mcpbridge.auth.oauth.answer import TokenRefused, known_error
from mcpbridge.auth.oauth.channel import Channel
from mcpbridge.auth.oauth.checks import local_path
from mcpbridge.auth.oauth.discovery import Discovery, checked_flow
from mcpbridge.auth.oauth.endpoint import ask_tokens, place, register
from mcpbridge.auth.oauth.errors import LoginRefused, refused
from mcpbridge.auth.oauth.events import EventKind, OAuthEvent, tell
from mcpbridge.auth.oauth.forms import authorization_url, code_form
from mcpbridge.auth.oauth.keys import Key
from mcpbridge.auth.oauth.logins import LIFETIME, LoginStore
from mcpbridge.auth.oauth.sealing import Login
from mcpbridge.auth.oauth.setting import OAuthHost
from mcpbridge.auth.oauth.values import AuthorizationServer, Grant, OAuthClient
from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret
from mcpbridge.vault.errors import SecretRefused

COOKIE: Final = "mcpbridge_login"

_OURS: Final = re.compile(r"[A-Za-z0-9_-]{40,100}")
"""What states and cookies of ours look like."""

UNKNOWN: Final = "this login is unknown, over, or was finished already: begin it again"
"""The one message for every state that can't be taken."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """A login that was begun: send the browser to `url`, and set the cookie `COOKIE` to `browser` in it."""

    url: str
    browser: Secret
    secure: bool

    def set_cookie(self) -> str:
        """The value of the `Set-Cookie` header; the one line that shows the cookie."""
        secure = "; Secure" if self.secure else ""
        return f"{COOKIE}={self.browser.reveal()}; Path=/; Max-Age={LIFETIME:.0f}; HttpOnly; SameSite=Lax{secure}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """A login that was finished: whose, and the path of our own origin to go on to, if any."""

    key: Key
    return_to: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Browser:
    """What a browser brought to the callback. A parameter that stands twice is as one that is missing."""

    parameters: Mapping[str, str]
    cookie: Secret | None

    @classmethod
    def of(cls, query: str | Mapping[str, str], cookies: Mapping[str, str]) -> Self:
        """The callback's query and the request's cookies."""
        if isinstance(query, str):
            try:
                given = parse_qs(query, keep_blank_values=True, max_num_fields=50)
            except ValueError:
                given = dict[str, list[str]]()
            query = {name: values[0] for name, values in given.items() if len(values) == 1}
        return cls(parameters=query, cookie=secret_of(cookies.get(COOKIE)))

    @property
    def state(self) -> Secret | None:
        """The login that it is about."""
        return secret_of(self.parameters.get("state"))


class Logins:
    """The logins at one integration."""

    def __init__(
        self,
        host: OAuthHost,
        integration: str,
        store: LoginStore,
        channel: Channel,
        discovery: Discovery,
        *,
        client: OAuthClient | None,
        scopes: Sequence[str],
        extra: Mapping[str, str],
    ) -> None:
        self._host = host
        self._integration = integration
        self._store = store
        self._channel = channel
        self._discovery = discovery
        self._client = client
        self._scopes = scopes
        self._extra = extra

    async def begin(self, key: Key, *, scopes: Sequence[str], return_to: str | None, browser: Secret | None) -> Begun:
        """See `AuthorizationCode.begin`."""
        if return_to is not None and not local_path(return_to):
            raise ConfigError(f"return_to={return_to!r} must be a path of this origin, such as /done")
        found = await self._discovery.find_anew()
        server = checked_flow(found.server)
        wanted = [*dict.fromkeys([*(self._scopes or found.scopes), *scopes])]
        client = await self._client_for(key, server, wanted)
        state, cookie = Secret(secrets.token_urlsafe(32)), _cookie(browser)
        login = Login(
            verifier=Secret(secrets.token_urlsafe(48)),
            server=server.id,
            client=client if client is not self._client else OAuthClient(id=client.id),
            redirect_uri=self._host.redirect_uri,
            return_to=return_to,
            scopes=wanted,
            resource=found.resource,
        )
        await self._store.add(key, login, state=state, browser=cookie)
        await tell(self._host.listener, _event("login_begun", key, server))
        url = authorization_url(
            server.authorization_endpoint or "",
            client_id=client.id,
            redirect_uri=login.redirect_uri,
            state=state.reveal(),
            verifier=login.verifier.reveal(),
            scopes=wanted,
            resource=login.resource,
            extra=self._extra,
        )
        return Begun(url=url, browser=cookie, secure=login.redirect_uri.startswith("https:"))

    async def complete(self, browser: Browser, expected: Key | None) -> tuple[Key, Grant, str | None]:
        """Whose login it is, what was granted, and where to go on. Raises: LoginRefused, UpstreamError."""
        key, login = await self._claimed(browser, expected)
        found = await self._discovery.find()
        if found.server.id != login.server:
            raise LoginRefused("the authorization server has changed meanwhile: begin the login again")
        code = _code(browser.parameters, found.server)
        client = self._client if self._client is not None and self._client.id == login.client.id else login.client
        form = code_form(
            code=code,
            verifier=login.verifier.reveal(),
            redirect_uri=login.redirect_uri,
            resource=login.resource,
        )
        try:
            granted = await ask_tokens(self._channel, found.server, client, form)
        except TokenRefused as refusal:
            raise refused(place(found.server.token_endpoint), refusal) from None
        grant = Grant(
            access=granted.access,
            refresh=granted.refresh,
            lifetime=granted.lifetime,
            scope=" ".join(login.scopes) if granted.scope is None else granted.scope,
            server=login.server,
            client=login.client,
        )
        return key, grant, login.return_to

    async def client_refused(self, key: Key, grant: Grant, refusal: TokenRefused) -> None:
        """Forgets a registration that the server does not know any more, so that the next login makes one."""
        if refusal.error == "invalid_client":
            await self._store.forget_client(key, grant.server)

    async def _claimed(self, browser: Browser, expected: Key | None) -> tuple[Key, Login]:
        """The login, taken out of the store: whoever comes second finds none."""
        state = browser.state
        pending = None if state is None else await self._store.find(state)
        if state is None or pending is None or pending.key.integration != self._integration:
            raise LoginRefused(UNKNOWN)
        if expected is not None and expected != pending.key:
            raise LoginRefused(UNKNOWN)
        if browser.cookie is None or not pending.is_of(browser.cookie):
            raise LoginRefused("this login was begun in another browser: begin it in this one", status=403)
        try:
            login = await self._store.claim(pending.key, state=state, browser=browser.cookie)
        except SecretRefused:
            raise LoginRefused(UNKNOWN) from None
        if login is None:
            raise LoginRefused(UNKNOWN)
        return pending.key, login

    async def _client_for(self, key: Key, server: AuthorizationServer, scopes: Sequence[str]) -> OAuthClient:
        """The host's own client, the gateway's document, one registered before, or a new one."""
        if self._client is not None:
            return self._client
        if server.reads_client_documents and self._host.client_url is not None:
            return OAuthClient(id=self._host.client_url, method="none")
        if (known := await self._store.client(key, server.id)) is not None:
            return known
        host = self._host
        client = await register(
            self._channel, server, name=host.client_name, redirect_uri=host.redirect_uri, scopes=scopes
        )
        await self._store.keep_client(key, server.id, client)
        await tell(host.listener, _event("registered", key, server))
        return client


def _code(parameters: Mapping[str, str], server: AuthorizationServer) -> str:
    """The code, where the answer is of this server (RFC 9207 section 2.4). Raises: LoginRefused."""
    issuer = parameters.get("iss")
    if (issuer is None and server.says_issuer) or (issuer is not None and server.issuer and issuer != server.issuer):
        raise LoginRefused("the answer came from another authorization server: begin the login again")
    if "error" in parameters:
        said = known_error(parameters["error"])
        told = f" ({said})" if said else ""
        raise LoginRefused(f"the authorization server did not agree{told}: begin the login again")
    if not (code := parameters.get("code")):
        raise LoginRefused(UNKNOWN)
    return code


def _event(kind: EventKind, key: Key, server: AuthorizationServer) -> OAuthEvent:
    return OAuthEvent(
        kind=kind,
        integration=key.integration,
        tenant=key.tenant,
        user=key.user,
        server=server.id,
    )


def _cookie(browser: Secret | None) -> Secret:
    """The cookie that the browser has, where it is one of ours, or a new one."""
    had = browser is not None and _OURS.fullmatch(browser.reveal()) is not None
    return browser if browser is not None and had else Secret(secrets.token_urlsafe(32))


def secret_of(text: str | None) -> Secret | None:
    """What a browser sent, where it can be one of ours."""
    return Secret(text) if text and _OURS.fullmatch(text) else None
