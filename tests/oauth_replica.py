"""One replica, as a process of its own: STORE AUTHORITY COUNT. Calls COUNT times at once, and tells the statuses."""

from __future__ import annotations

import asyncio
import sys

import httpx2

from logins import ANN, host_of
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.keys import CALLER_KEY
from mcpbridge.auth.oauth.refresh import Pace
from mcpbridge.store.open import open_store


async def main(url: str, authority: str, count: int) -> None:
    async with open_store(url, wait=30.0) as store:
        host = host_of(store, pace=Pace(lease=4.0))
        auth = AuthorizationCode(host, "notes", resource=f"{authority}/api")
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        async with httpx2.AsyncClient(auth=auth, timeout=60.0) as client:
            requests = [client.build_request("GET", f"{authority}/api") for _ in range(count)]
            for request in requests:
                request.extensions[CALLER_KEY] = ANN
            answers = await asyncio.gather(*map(client.send, requests))
        sys.stdout.write(" ".join(str(answer.status_code) for answer in answers))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
