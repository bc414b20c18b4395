"""The client that the conformance suite drives: it logs in at an MCP server, lists its tools and calls each.

The suite gives the server's URL; its environment says which protocol to speak, and what the client is registered with.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import httpx2

from mcpbridge.auth.oauth.channel import Channel
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.credentials import ClientCredentials
from mcpbridge.auth.oauth.discovery import Discovery, Named
from mcpbridge.auth.oauth.login import COOKIE
from mcpbridge.auth.oauth.setting import OAuthHost
from mcpbridge.auth.oauth.values import OAuthClient
from mcpbridge.errors import BridgeError, Failure
from mcpbridge.secret import Secret
from mcpbridge.source.answer import error_of, failure_of
from mcpbridge.store.open import open_store
from mcpbridge.tools import Call, Caller
from mcpbridge.upstream.source import McpSource
from mcpbridge.vault.keys import LocalKey
from mcpbridge.vault.vault import Vault
from mcpbridge.wrap.connect_answers import needs_login
from mcpbridge.wrap.connect_flow import scopes_of

ANN = Caller(user="ann")
DOCUMENT = "https://conformance-test.local/client-metadata.json"
"""The client's metadata document that the suite knows."""

LOGINS = 3
"""How often the person agrees before the client gives up."""


async def main(url: str) -> str:
    """What went wrong, or nothing."""
    given = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    mode = "auto" if os.environ["MCP_CONFORMANCE_PROTOCOL_VERSION"] >= "2026" else "legacy"
    async with open_store(":memory:") as store:
        vault = Vault(store, [LocalKey(bytes(range(32)))])
        host = OAuthHost(store=store, vault=vault, redirect_uri="http://127.0.0.1:9/callback", client_url=DOCUMENT)
        auth = await strategy(url, host, given)
        async with McpSource(url, auth=auth, mode=mode) as source:
            for _ in range(LOGINS):
                failure = await used(source)
                if failure is None or not needs_login(failure) or not isinstance(auth, AuthorizationCode):
                    break
                await log_in(auth, scopes_of(failure))
            else:
                failure = await used(source)
    return "" if failure is None else f"{failure.code}: {failure.message}"


async def strategy(url: str, host: OAuthHost, given: Mapping[str, str]) -> httpx2.Auth:
    """How to log in, by what the suite gave."""
    if "client_id" not in given:
        return AuthorizationCode(host, "judge", resource=url)
    client = OAuthClient(
        id=given["client_id"],
        secret=Secret(given["client_secret"]) if "client_secret" in given else None,
        key=given.get("private_key_pem"),
        algorithm=given.get("signing_algorithm"),
    )
    if "issuer" in given:
        return AuthorizationCode(host, "judge", resource=url, issuer=given["issuer"], client=client)
    found = await Discovery(Named(resource=url), Channel(named=[url])).find()  # as its operator would look it up
    return ClientCredentials(client, issuer=found.server.issuer, resource=url)


async def log_in(auth: AuthorizationCode, scopes: Sequence[str]) -> None:
    """A person who agrees to everything."""
    begun = await auth.begin(ANN, scopes=scopes)
    async with httpx2.AsyncClient() as browser:
        answer = await browser.get(begun.url)
    await auth.complete(urlsplit(answer.headers["location"]).query, {COOKIE: begun.browser.reveal()})


async def used(source: McpSource) -> Failure | None:
    """Lists the tools and calls each; gives the first failure."""
    try:
        for tool in await source.list("tool", ANN):
            if failure := error_of(await source.call(Call(name=tool.key, caller=ANN))):
                return failure
    except BridgeError as error:
        return failure_of(error)
    return None


if __name__ == "__main__":
    try:
        said = asyncio.run(main(sys.argv[1]))
    except BridgeError as error:
        said = f"{error.code}: {error}"
    sys.exit(said or 0)
