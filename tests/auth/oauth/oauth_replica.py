"""One replica, as a process of its own: STORE AUTHORITY COUNT. Calls COUNT times at once, and tells the statuses."""

from __future__ import annotations

import asyncio
import sys

from logins import ANN, call, host_of
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.refresh import Pace
from mcpbridge.store.open import open_store


async def main(url: str, authority: str, count: int) -> None:
    async with open_store(url, wait=30.0) as store:
        host = host_of(store, pace=Pace(lease=4.0))
        auth = AuthorizationCode(host, "notes", resource=f"{authority}/api")
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        answers = await asyncio.gather(*(call(auth, f"{authority}/api", ANN) for _ in range(count)))
        sys.stdout.write(" ".join(str(answer.status_code) for answer in answers))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
