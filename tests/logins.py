"""A person at a browser, and a host's OAuth setting, for the tests of logins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2

from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.events import OAuthEvent
from mcpbridge.auth.oauth.keys import CALLER_KEY
from mcpbridge.auth.oauth.login import COOKIE, Begun, Completed
from mcpbridge.auth.oauth.setting import OAuthHost
from mcpbridge.store.store import Store
from mcpbridge.tools import Caller
from mcpbridge.vault.keys import LocalKey
from mcpbridge.vault.vault import Vault

CALLBACK = "http://127.0.0.1:9/oauth/callback"
KEY = LocalKey(bytes(range(32)))
ANN, BOB = Caller(tenant="acme", user="ann"), Caller(tenant="acme", user="bob")


@dataclass
class Heard:
    """The events that a host was told."""

    events: list[OAuthEvent] = field(default_factory=list[OAuthEvent])

    def __call__(self, event: OAuthEvent) -> None:
        self.events.append(event)

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


def host_of(store: Store, heard: Heard | None = None, **settings: Any) -> OAuthHost:
    """A host's setting, on a store."""
    vault = Vault(store, [KEY])
    return OAuthHost(store=store, vault=vault, redirect_uri=CALLBACK, listener=heard, **settings)


async def agreed(begun: Begun, person: str = "ann") -> str:
    """The callback's query that a browser brings back, after the person has agreed."""
    async with httpx2.AsyncClient() as browser:
        answer = await browser.get(begun.url, headers={"X-Person": person})
    assert answer.status_code == 302, answer.text
    return urlsplit(answer.headers["location"]).query


def cookies(begun: Begun) -> dict[str, str]:
    """The cookies of the browser that the login was begun in."""
    return {COOKIE: begun.browser.reveal()}


async def log_in(strategy: AuthorizationCode, caller: Caller = ANN) -> Completed:
    """A whole login."""
    begun = await strategy.begin(caller)
    return await strategy.complete(await agreed(begun, caller.user or "anybody"), cookies(begun))


async def call(auth: httpx2.Auth, url: str, caller: Caller = ANN) -> httpx2.Response:
    """A call to an upstream as a source makes it, for this caller."""
    async with httpx2.AsyncClient() as client:
        request = client.build_request("GET", url, extensions={CALLER_KEY: caller})
        return await client.send(request, auth=auth)


async def until(true: Callable[[], bool]) -> None:
    """Waits for what a server in another thread does, which nobody tells of."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
