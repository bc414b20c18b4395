"""The life of an integration behind two replicas, on SQLite, or on the Postgres of DATABASE_URL."""

import asyncio
import os
import tempfile

from mcp import Client

from mcpbridge import Caller, Gateway, Guard, Integrations, Vault, open_store, to_server
from mcpbridge.demo.local import running

os.environ.setdefault("MCPBRIDGE_KEY", Vault.new_key())  # keep yours apart from the database
ADA = Caller(tenant="acme", user="ada")
BOOKS = {"name": "list_books", "method": "GET", "path": "/books", "query": {"search": {"type": "string"}}}


async def main(shop: str, url: str) -> None:
    async def who(_: object) -> Caller:
        return ADA

    async with open_store(url) as one, open_store(url) as two:
        records, others = (Integrations(store, Vault(store, ["env:MCPBRIDGE_KEY"])) for store in (one, two))
        near, far = (Gateway(each, guard=Guard(["127.0.0.1"])) for each in (records, others))
        async with near, far, Client(to_server(far, name="stored", identify=who)) as client:
            await records.create(ADA, {"name": "shop", "protocol": "rest", "base_url": shop, "operations": [BOOKS]})
            print("validated:", (await near.validate(ADA, "shop")).ok)
            await asyncio.sleep(2)  # the other replica hears of it within two seconds
            print("called:", (await client.call_tool("shop__list_books", {"search": "austen"})).structured_content)
            await records.update(ADA, "shop", {"operations": [{**BOOKS, "name": "find_books"}]})
            await asyncio.sleep(2)
            print("edited:", [tool.name for tool in (await client.list_tools()).tools])
            await records.disable(ADA, "shop", reason="stocktaking")
            await asyncio.sleep(2)
            print("disabled:", (await client.list_tools()).tools, (await far.statuses(ADA))["shop"].message)
            await records.delete(ADA, "shop")


with running() as bookshop, tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(bookshop, os.environ.get("DATABASE_URL", f"sqlite:///{folder}/gateway.db")))
