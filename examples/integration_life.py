"""The life of an integration's record, on SQLite, or on the Postgres of DATABASE_URL."""

import asyncio
import os

from mcpbridge import Caller, Integrations, Vault, open_store

os.environ.setdefault("OLD_KEY", Vault.new_key())  # keep yours apart from the database
os.environ.setdefault("NEW_KEY", Vault.new_key())
GITHUB = {
    "name": "github",
    "protocol": "rest",
    "openapi": "https://example.com/github.json",
    "auth": {"type": "bearer", "token": "a-secret-token"},
}


async def main() -> None:
    ada = Caller(tenant="acme", user="ada")
    async with open_store(os.environ.get("DATABASE_URL", ":memory:")) as store:
        integrations = Integrations(store, Vault(store, ["env:OLD_KEY"]))
        made = await integrations.create(ada, GITHUB)
        print("created:", made.name, "auth", made.view()["auth"])
        edited = await integrations.update(ada, "github", {"display_name": "GitHub", "auth": {"prefix": "Token"}})
        kept = (await integrations.revealed(edited)).auth
        print("edited: revision", edited.revision, kept.strategy())  # the token was left out, and stays
        print("disabled:", (await integrations.disable(ada, "github", reason="too noisy")).state)
        print("enabled:", (await integrations.enable(ada, "github")).state)

        print("rotated:", await Vault(store, ["env:NEW_KEY", "env:OLD_KEY"]).rotate())
        integrations = Integrations(store, Vault(store, ["env:NEW_KEY"]))  # the old key can go
        await integrations.check()
        await integrations.revealed(await integrations.get(ada, "github"))
        await integrations.delete(ada, "github")
        print("left:", [each.name for each in await integrations.list(ada)])


asyncio.run(main())
