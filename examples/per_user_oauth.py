"""Two users log in at the authorization server of mcpbridge's own tests, call, have tokens refreshed, and log out."""

import asyncio
import os
import sys
from pathlib import Path

import httpx2

from mcpbridge import AuthorizationCode, Call, Caller, OAuthHost, RestSource, Vault, declare, open_store

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from authority import running_authority


async def main() -> None:
    os.environ["KEY"] = Vault.new_key()
    with running_authority() as server:
        async with open_store(":memory:") as store, httpx2.AsyncClient() as browser:
            host = OAuthHost(store=store, vault=Vault(store, ["env:KEY"]), redirect_uri="http://127.0.0.1:1/callback")
            auth = AuthorizationCode(host, "notes", resource=f"{server.url}/api")
            whoami = declare("whoami", method="GET", path="/api")
            async with RestSource([whoami], base_url=server.url, auth=auth) as source:
                for caller in (Caller(user="ann"), Caller(user="bob")):
                    call = Call(name="whoami", caller=caller)
                    print("before:", (await source.call_tool(call)).content)
                    begun = await auth.begin(caller)
                    back = await browser.get(begun.url, headers={"X-Person": str(caller.user)})
                    query = back.headers["location"].partition("?")[2]
                    await auth.complete(query, {"mcpbridge_login": begun.browser.reveal()})
                    print("logged in:", (await source.call_tool(call)).structured_content)
                    server.expire()
                    print("refreshed:", (await source.call_tool(call)).structured_content)
                    print("logged out:", await auth.disconnect(caller), await auth.logged_in(caller))


asyncio.run(main())
