"""One replica of a gateway before notes, over HTTP at the port given: the store at the URL given has its approvals."""

from __future__ import annotations

import asyncio
import sys

from notes import Notes

from mcpbridge.approvals.approvals import Approvals
from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.lowlevel import to_server
from mcpbridge.server.run import serve_http
from mcpbridge.store.open import open_store
from mcpbridge.wrap.approve import Approve
from mcpbridge.wrap.approvers import Queue, ask_client, first_of


async def main(port: int, url: str) -> None:
    async with open_store(url) as store:
        approver = first_of(ask_client, Queue(Approvals(store)))
        async with Approve(Notes(), approver=approver, scope="notes") as source:
            await serve_http(to_asgi(to_server(source, name="notes")), "127.0.0.1", port)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
