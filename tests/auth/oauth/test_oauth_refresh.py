"""Refreshing once, whatever happens: replicas on real databases at a real authorization server."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import pairwise
from typing import Any

import httpx2
import pytest
from sqlalchemy import select, update

from authority import Authority
from logins import ANN, BOB, Heard, agreed, call, cookies, host_of, log_in, until
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.errors import ReconnectRequired
from mcpbridge.auth.oauth.kept import Held, TokenStore
from mcpbridge.auth.oauth.keys import Key
from mcpbridge.auth.oauth.refresh import Pace
from mcpbridge.auth.oauth.values import leeway
from mcpbridge.errors import AuthRequired, UpstreamError
from mcpbridge.store.clock import now
from mcpbridge.store.leases import take_lease
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import tokens
from mcpbridge.store.store import Store
from mcpbridge.vault.vault import Vault

QUICK = Pace(lease=2.0, pause=0.3, poll=0.05, patience=10.0)
KEY = Key(tenant="acme", integration="notes", user="ann")


def at(store: Store, authority: Authority, heard: Heard | None = None, pace: Pace = QUICK) -> AuthorizationCode:
    """A replica: it shares the store with the others, and nothing else."""
    return AuthorizationCode(host_of(store, heard, pace=pace), "notes", resource=f"{authority.url}/api")


async def expired(store: Store, authority: Authority, left: float = -1.0) -> None:
    """Every access token ends in so many seconds by the database's clock, and is over at the server."""
    authority.expire()
    async with store.write() as connection:
        await connection.execute(update(tokens).values(expires=now() + left))


async def kept(store: Store) -> Held | None:
    return await TokenStore(store, at_vault(store)).read(KEY)


def at_vault(store: Store) -> Vault:
    return host_of(store).vault


async def statuses(auths: list[AuthorizationCode], authority: Authority, each: int) -> list[int]:
    calls = [call(auth, f"{authority.url}/api") for auth in auths for _ in range(each)]
    return [answer.status_code for answer in await asyncio.gather(*calls)]


@pytest.mark.req("AUTH-10", "ATK-47", "FLT-13")
async def test_many_calls_on_four_replicas_refresh_an_expired_token_once(
    database_url: str, authority: Authority
) -> None:
    async with open_store(database_url) as one, open_store(database_url) as two:
        await log_in(at(one, authority))
        await expired(one, authority)
        authority.delay = 0.2
        replicas = [at(store, authority) for store in (one, two, one, two)]

        answers = await statuses(replicas, authority, 15)

    assert answers == [200] * 60
    assert authority.grants("refresh_token") == 1
    assert not authority.reused()


@pytest.mark.req("AUTH-10")
async def test_a_token_that_is_good_is_used_without_a_look_at_the_server(memory: Store, authority: Authority) -> None:
    auth = at(memory, authority)
    await log_in(auth)
    asked = len(authority.asked)

    assert await statuses([auth], authority, 5) == [200] * 5
    assert len(authority.asked) == asked


@pytest.mark.req("FLT-19")
async def test_the_first_waiter_that_is_cancelled_takes_nobody_with_it(memory: Store, authority: Authority) -> None:
    auth = at(memory, authority)
    await log_in(auth)
    await expired(memory, authority)
    auth = at(memory, authority)
    authority.delay = 0.3
    first = asyncio.ensure_future(call(auth, f"{authority.url}/api"))
    others = [asyncio.ensure_future(call(auth, f"{authority.url}/api")) for _ in range(5)]
    await until(lambda: authority.grants("refresh_token") == 1)

    first.cancel()

    assert [answer.status_code for answer in await asyncio.gather(*others)] == [200] * 5
    assert first.cancelled()
    assert authority.grants("refresh_token") == 1


@pytest.mark.req("FLT-19")
async def test_a_refresh_goes_on_where_every_waiter_has_left(memory: Store, authority: Authority) -> None:
    await log_in(at(memory, authority))
    await expired(memory, authority)
    authority.delay = 0.2
    waiter = asyncio.ensure_future(call(at(memory, authority), f"{authority.url}/api"))
    await until(lambda: authority.grants("refresh_token") == 1)
    waiter.cancel()
    before = await kept(memory)

    await until(lambda: len(authority.tokens) == 2)
    async with asyncio.timeout(10):
        held = await at(memory, authority).token(ANN)

    assert before is not None
    assert held.version == before.version + 1
    assert authority.grants("refresh_token") == 1


@pytest.mark.req("FLT-15", "AUTH-10")
async def test_a_token_that_the_upstream_refuses_is_refreshed_once_for_all_calls(
    memory: Store, authority: Authority
) -> None:
    auth = at(memory, authority)
    await log_in(auth)
    authority.expire()

    assert await statuses([auth], authority, 20) == [200] * 20
    assert authority.grants("refresh_token") == 1


@pytest.mark.req("FLT-15", "AUTH-10")
async def test_a_second_refusal_asks_for_a_new_login_and_does_not_loop(memory: Store, authority: Authority) -> None:
    heard = Heard()
    auth = at(memory, authority, heard)
    await log_in(auth)
    authority.refuses = True

    for _ in range(3):
        with pytest.raises(ReconnectRequired):
            await call(auth, f"{authority.url}/api")

    assert authority.grants("refresh_token") == 1
    assert heard.kinds().count("reconnect_required") == 1


@pytest.mark.req("AUTH-10")
async def test_a_login_that_the_server_ended_asks_for_a_new_one_on_every_replica(
    store: Store, authority: Authority
) -> None:
    heard = Heard()
    await log_in(at(store, authority, heard))
    await expired(store, authority)
    authority.end_logins()

    for auth in (at(store, authority, heard), at(store, authority, heard)):
        with pytest.raises(ReconnectRequired, match="a person has to log in again"):
            await call(auth, f"{authority.url}/api")

    assert authority.grants("refresh_token") == 1
    assert heard.kinds().count("reconnect_required") == 1
    await log_in(at(store, authority))
    assert await statuses([at(store, authority)], authority, 1) == [200]


@pytest.mark.req("FLT-14", "AUTH-10")
async def test_a_server_that_is_down_is_asked_once_a_pause_by_all_and_loses_no_login(
    database_url: str, authority: Authority
) -> None:
    async with open_store(database_url) as one, open_store(database_url) as two:
        await log_in(at(one, authority))
        await expired(one, authority)
        authority.down = True
        replicas = [at(store, authority) for store in (one, two, one, two)]

        ends = await asyncio.gather(*(downs(auth, authority, seconds=1.5) for auth in replicas))
        times = [float(form["at"]) for form in authority.asked if form["grant_type"] == "refresh_token"]
        authority.down = False

        assert {code for codes in ends for code in codes} == {"auth_unavailable"}
        assert len(times) >= 2
        assert min(late - early for early, late in pairwise(times)) > 0.25
        assert await statuses(replicas, authority, 3) == [200] * 12
    assert not authority.reused()


async def downs(auth: AuthorizationCode, authority: Authority, *, seconds: float) -> list[str]:
    """How calls end, ten at once, one after another for so long."""
    until, ends = time.monotonic() + seconds, list[str]()
    while time.monotonic() < until:
        for end in await asyncio.gather(
            *(call(auth, f"{authority.url}/api") for _ in range(10)), return_exceptions=True
        ):
            assert isinstance(end, UpstreamError), end
            assert end.failure.retryable
            ends.append(end.failure.code)
    return ends


@pytest.mark.req("AUTH-10")
async def test_a_token_that_ends_soon_is_used_on_while_the_server_is_down(memory: Store, authority: Authority) -> None:
    await log_in(at(memory, authority))
    async with memory.write() as connection:
        await connection.execute(update(tokens).values(expires=now() + 20.0))
    authority.down = True

    assert await statuses([at(memory, authority)], authority, 3) == [200] * 3
    assert authority.grants("refresh_token") >= 1


@pytest.mark.req("FLT-16")
async def test_a_turn_whose_owner_is_gone_is_taken_over_when_it_ends(store: Store, authority: Authority) -> None:
    await log_in(at(store, authority))
    await expired(store, authority)
    async with store.write() as connection:
        assert await take_lease(connection, f"oauth:{KEY.fingerprint}", holder="killed", seconds=1.0)
    began = time.monotonic()

    assert await statuses([at(store, authority)], authority, 5) == [200] * 5

    assert 0.5 < time.monotonic() - began < 2.0 + 3.0
    assert authority.grants("refresh_token") == 1


@pytest.mark.req("FLT-16", "AUTH-10")
async def test_whose_turn_has_passed_can_not_end_a_login(store: Store, authority: Authority) -> None:
    await log_in(at(store, authority))
    logins = TokenStore(store, at_vault(store))
    taken = await logins.take(KEY, "slow", 0.0)
    assert taken is not None
    lease, held = taken
    assert held is not None

    assert not await logins.end(held, lease)
    assert await at(store, authority).logged_in(ANN)
    assert await logins.end(held)


@pytest.mark.req("FLT-16")
async def test_a_refresh_token_that_was_spent_by_a_replica_that_died_asks_for_a_new_login(
    memory: Store, authority: Authority
) -> None:
    heard = Heard()
    await log_in(at(memory, authority))
    await expired(memory, authority)
    await spend(memory, authority)

    with pytest.raises(ReconnectRequired):
        await call(at(memory, authority, heard), f"{authority.url}/api")

    assert [(event.kind, event.user) for event in heard.events] == [("reconnect_required", "ann")]


async def spend(store: Store, authority: Authority) -> None:
    """A refresh whose answer is lost."""
    held = await kept(store)
    assert held is not None
    assert held.grant.refresh is not None
    client = authority.clients[held.grant.client.id]
    form = {"grant_type": "refresh_token", "refresh_token": held.grant.refresh.reveal()}
    async with httpx2.AsyncClient(auth=(client.client_id, client.secret)) as asking:
        assert (await asking.post(f"{authority.url}/token", data=form)).status_code == 200


@pytest.mark.req("FLT-17")
async def test_a_lifetime_shorter_than_the_leeway_works(memory: Store, authority: Authority) -> None:
    authority.lifetime = 8.0
    auth = at(memory, authority)
    await log_in(auth)

    assert await statuses([auth], authority, 5) == [200] * 5
    assert authority.grants("refresh_token") == 0
    assert [leeway(lifetime) for lifetime in (8.0, 3600.0, None)] == [2.0, 30.0, 0.0]


@pytest.mark.req("FLT-18")
async def test_a_token_ends_by_the_clock_of_the_database(store: Store, authority: Authority) -> None:
    await log_in(at(store, authority))
    async with store.read() as connection:
        row = (await connection.execute(select(tokens.c.expires, now().label("at")))).one()

    assert 3590 < row.expires - row.at <= 3600
    held = await kept(store)
    assert held is not None
    assert held.left == pytest.approx(row.expires - row.at, abs=5)


BAD: list[tuple[int, Any]] = [
    (200, {}),
    (200, {"access_token": ""}),
    (200, {"access_token": "new\r\nX: y", "token_type": "Bearer"}),
    (200, {"access_token": "new", "token_type": "mac"}),
    (200, {"access_token": "new", "token_type": "Bearer", "expires_in": -1}),
    (200, {"access_token": "new", "token_type": "Bearer", "expires_in": 1e12}),
    (200, {"access_token": "new", "token_type": "Bearer", "expires_in": "3600"}),
    (200, {"access_token": "new", "token_type": "Bearer", "expires_in": True}),
    (200, {"access_token": ["new"]}),
    (200, {"error": "temporarily_unavailable"}),
    (200, []),
    (429, {"error": "slow_down", "access_token": "new"}),
    (500, {"error": "invalid_grant"}),
    (503, None),
    (302, {}),
]


@pytest.mark.req("ATK-46", "AUTH-10")
@pytest.mark.parametrize("said", BAD, ids=lambda said: str(said)[:60])
async def test_an_answer_without_usable_tokens_keeps_the_ones_that_are_there(
    memory: Store, authority: Authority, said: tuple[int, Any]
) -> None:
    await log_in(at(memory, authority))
    await expired(memory, authority)
    before = await kept(memory)
    authority.said = (said[0], json.dumps(said[1]).encode())

    with pytest.raises(UpstreamError) as caught:
        await call(at(memory, authority), f"{authority.url}/api")

    after = await kept(memory)
    assert after is not None
    assert before is not None
    assert (after.version, after.state, after.grant.refresh) == (before.version, "ready", before.grant.refresh)
    assert "new" not in str(caught.value)
    authority.said = None
    assert await statuses([at(memory, authority)], authority, 1) == [200]


@pytest.mark.req("AUTH-10")
@pytest.mark.parametrize(
    ("error", "hint"),
    [
        ("invalid_scope", "scopes"),
        ("invalid_target", "resource"),
        ("unauthorized_client", "client_id"),
        ("<b>", "issuer"),
    ],
)
async def test_a_refusal_says_which_setting_to_look_at_and_keeps_the_token(
    memory: Store, authority: Authority, error: str, hint: str
) -> None:
    await log_in(at(memory, authority))
    await expired(memory, authority)
    authority.said = (400, json.dumps({"error": error, "error_description": "<script>"}).encode())

    with pytest.raises(UpstreamError) as caught:
        await call(at(memory, authority), f"{authority.url}/api")

    assert hint in caught.value.failure.hint
    assert not caught.value.failure.retryable
    assert "<" not in str(caught.value)
    assert await at(memory, authority).logged_in(ANN)


@pytest.mark.req("AUTH-10")
async def test_a_login_without_a_refresh_token_is_good_to_its_end(memory: Store, authority: Authority) -> None:
    authority.refreshes = False
    await log_in(at(memory, authority))
    assert await statuses([at(memory, authority)], authority, 2) == [200, 200]
    await expired(memory, authority)

    with pytest.raises(ReconnectRequired):
        await call(at(memory, authority), f"{authority.url}/api")


@pytest.mark.req("AUTH-10")
async def test_an_answer_that_gives_no_new_refresh_token_leaves_the_old_one(
    memory: Store, authority: Authority
) -> None:
    await log_in(at(memory, authority))
    await expired(memory, authority)
    before = await kept(memory)
    authority.said = (200, b'{"access_token": "new", "token_type": "bearer", "expires_in": 60}')

    with pytest.raises(ReconnectRequired):  # the upstream does not know the token that the server made up
        await call(at(memory, authority), f"{authority.url}/api")

    after = await kept(memory)
    assert after is not None
    assert before is not None
    assert after.grant.refresh == before.grant.refresh


@pytest.mark.req("AUTH-12")
async def test_a_logout_during_a_refresh_wins_and_ends_the_new_tokens_too(store: Store, authority: Authority) -> None:
    auth = at(store, authority)
    await log_in(auth)
    await expired(store, authority)
    auth = at(store, authority)
    authority.delay = 0.3
    calling = asyncio.ensure_future(call(auth, f"{authority.url}/api"))
    await until(lambda: authority.grants("refresh_token") == 1)

    await auth.disconnect(ANN)

    with pytest.raises(AuthRequired):
        await calling
    assert await kept(store) is None
    assert all(issued.family.ended for issued in authority.tokens)


@pytest.mark.req("AUTH-10")
async def test_a_login_during_a_refresh_is_not_overwritten_by_its_late_answer(
    store: Store, authority: Authority
) -> None:
    await log_in(at(store, authority))
    await expired(store, authority)
    auth = at(store, authority)
    authority.delay = 1.0
    calling = asyncio.ensure_future(call(auth, f"{authority.url}/api"))
    await until(lambda: authority.grants("refresh_token") == 1)
    authority.delay = 0.0
    begun = await auth.begin(ANN)
    await auth.complete(await agreed(begun, "carol"), cookies(begun))

    assert (await calling).json()["user"] == "carol"
    assert (await call(at(store, authority), f"{authority.url}/api")).json()["user"] == "carol"


@pytest.mark.req("AUTH-12", "AUTH-10")
async def test_a_logout_on_another_replica_is_seen_when_the_token_is_looked_at_again(
    memory: Store, authority: Authority
) -> None:
    replica = at(memory, authority, pace=Pace(trust=0.0))
    await log_in(replica)
    await at(memory, authority).disconnect(ANN)

    with pytest.raises(AuthRequired):
        await call(replica, f"{authority.url}/api")


@pytest.mark.req("AUTH-10")
async def test_a_grant_that_was_moved_to_another_user_in_the_database_does_not_open(
    memory: Store, authority: Authority
) -> None:
    await log_in(at(memory, authority))
    async with memory.write() as connection:
        await connection.execute(update(tokens).values(user="bob"))

    with pytest.raises(ReconnectRequired):
        await call(at(memory, authority), f"{authority.url}/api", BOB)
