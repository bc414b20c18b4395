"""Real processes that share one login on one database; a larger run of the same is among the judges."""

from __future__ import annotations

import pytest

from authority import Authority
from logins import ANN, Heard, call, host_of, log_in, until
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.errors import ReconnectRequired
from mcpbridge.auth.oauth.refresh import Pace
from mcpbridge.store.open import open_store
from oauth_processes import expired, refreshed_by, started


@pytest.mark.req("FLT-13", "AUTH-10", "ATK-47")
async def test_processes_refresh_an_expired_token_once_and_no_call_fails(
    database_url: str, authority: Authority
) -> None:
    assert await refreshed_by(database_url, authority, processes=2, calls=20) == ["200"] * 40
    assert authority.grants("refresh_token") == 1
    assert not authority.reused()


@pytest.mark.req("FLT-16")
async def test_a_replica_that_is_killed_while_the_server_answers_is_recovered_from(
    sqlite_url: str, authority: Authority
) -> None:
    heard = Heard()
    async with open_store(sqlite_url) as store:
        host = host_of(store, heard, pace=Pace(patience=20.0))
        auth = AuthorizationCode(host, "notes", resource=f"{authority.url}/api")
        await log_in(auth)
        replica = await started(sqlite_url, authority, 1)
        await expired(store, authority)
        authority.delay = 1.0
        assert replica.stdin is not None
        replica.stdin.write(b"go\n")
        await until(lambda: authority.grants("refresh_token") == 1)
        replica.kill()
        await replica.wait()

        with pytest.raises(ReconnectRequired):  # the server had spent the refresh token for nobody
            await call(AuthorizationCode(host, "notes", resource=f"{authority.url}/api"), f"{authority.url}/api", ANN)

    assert authority.grants("refresh_token") == 2
    assert heard.kinds()[-1] == "reconnect_required"
