"""Logins at a real authorization server, on real databases."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import update

from authority import Authority, Registered, running_authority
from logins import ANN, BOB, CALLBACK, KEY, Heard, agreed, call, cookies, host_of, log_in
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.auth.oauth.errors import LoginRefused, ReconnectRequired
from mcpbridge.auth.oauth.forms import client_document
from mcpbridge.auth.oauth.login import COOKIE, Begun
from mcpbridge.auth.oauth.setting import OAuthHost
from mcpbridge.auth.oauth.values import AuthorizationServer, OAuthClient
from mcpbridge.errors import AuthRequired, ConfigError, UpstreamError
from mcpbridge.secret import Secret
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import logins
from mcpbridge.store.store import Store
from mcpbridge.tools import ANYONE, Caller
from mcpbridge.vault.vault import Vault


def at(store: Store, authority: Authority, heard: Heard | None = None) -> AuthorizationCode:
    return AuthorizationCode(host_of(store, heard), "notes", resource=f"{authority.url}/api")


async def user_of(auth: httpx2.Auth, authority: Authority, caller: Caller = ANN) -> str:
    """Whose token the upstream got."""
    answer = await call(auth, f"{authority.url}/api", caller)
    assert answer.status_code == 200
    return str(answer.json()["user"])


@pytest.mark.req("AUTH-07", "AUTH-09")
async def test_each_user_logs_in_and_calls_with_a_token_of_its_own(store: Store, authority: Authority) -> None:
    heard = Heard()
    auth = at(store, authority, heard)
    with pytest.raises(AuthRequired):
        await user_of(auth, authority)

    await log_in(auth, ANN)
    await log_in(auth, BOB)

    assert [await user_of(auth, authority, caller) for caller in (ANN, BOB)] == ["ann", "bob"]
    assert heard.kinds().count("registered") == 1
    assert heard.kinds().count("login_completed") == 2


@pytest.mark.req("AUTH-07")
async def test_a_shared_login_serves_all_of_its_tenant_and_nobody_else(memory: Store, authority: Authority) -> None:
    auth = AuthorizationCode(host_of(memory), "notes", resource=f"{authority.url}/api", shared=True)
    await log_in(auth, ANN)

    assert await user_of(auth, authority, BOB) == "ann"
    with pytest.raises(AuthRequired):
        await user_of(auth, authority, Caller(tenant="other", user="ann"))


@pytest.mark.req("AUTH-07")
async def test_a_caller_without_a_user_has_no_login_of_its_own(memory: Store, authority: Authority) -> None:
    auth = at(memory, authority)

    with pytest.raises(AuthRequired):
        await auth.begin(ANYONE)


@pytest.mark.req("AUTH-08", "AUTH-07", "GW-07")
async def test_a_login_is_finished_on_another_replica_that_then_has_the_token(
    database_url: str, authority: Authority
) -> None:
    async with open_store(database_url) as one, open_store(database_url) as two:
        begun = await at(one, authority).begin(ANN, return_to="/done")
        other = at(two, authority)
        done = await other.complete(await agreed(begun), cookies(begun))

        assert done.return_to == "/done"
        assert await user_of(at(one, authority), authority) == "ann"


@pytest.mark.req("AUTH-08", "ATK-37")
async def test_a_state_works_once_and_one_of_two_callbacks_at_once_wins(store: Store, authority: Authority) -> None:
    auth = at(store, authority)
    begun = await auth.begin(ANN)
    query = await agreed(begun)

    ends = await asyncio.gather(*(auth.complete(query, cookies(begun)) for _ in range(8)), return_exceptions=True)

    lost = [end for end in ends if isinstance(end, LoginRefused)]
    assert len(lost) == 7
    assert {str(end) for end in lost} == {str(lost[0])}
    with pytest.raises(LoginRefused, match="unknown, over"):
        await auth.complete(query, cookies(begun))


@pytest.mark.req("ATK-37", "ATK-54")
@pytest.mark.parametrize("change", ["missing", "wrong", "twice", "tenant", "integration"])
async def test_a_state_that_is_not_of_this_login_is_refused_with_one_message(
    memory: Store, authority: Authority, change: str
) -> None:
    auth = at(memory, authority)
    begun = await auth.begin(ANN)
    query = await agreed(begun)
    match change:
        case "missing":
            query = query.replace("state=", "other=")
        case "wrong":
            query = query.replace("state=", "state=x")
        case "twice":
            query += "&state=x"
        case "integration":
            auth = AuthorizationCode(auth.host, "others", resource=f"{authority.url}/api")
        case _:
            pass
    caller = Caller(tenant="other", user="ann") if change == "tenant" else None

    with pytest.raises(LoginRefused) as caught:
        await auth.complete(query, cookies(begun), caller=caller)

    assert str(caught.value) == "this login is unknown, over, or was finished already: begin it again"
    assert authority.grants("authorization_code") == 0


@pytest.mark.req("ATK-37", "AUTH-08")
async def test_a_login_is_over_after_ten_minutes_of_the_database(sqlite_url: str, authority: Authority) -> None:
    async with open_store(sqlite_url) as store:
        auth = at(store, authority)
        begun = await auth.begin(ANN)
        async with store.write() as connection:
            await connection.execute(update(logins).values(expires=logins.c.expires - 600.0))

        with pytest.raises(LoginRefused, match="unknown, over"):
            await auth.complete(await agreed(begun), cookies(begun))


@pytest.mark.req("ATK-38", "AUTH-08")
@pytest.mark.parametrize("brought", [{}, {COOKIE: "x" * 43}, {COOKIE: ""}])
async def test_a_login_is_not_finished_in_another_browser(
    store: Store, authority: Authority, brought: dict[str, str]
) -> None:
    auth = at(store, authority)
    begun = await auth.begin(ANN)
    query = await agreed(begun)

    with pytest.raises(LoginRefused) as caught:
        await auth.complete(query, brought)

    assert caught.value.status == 403
    assert (await auth.complete(query, cookies(begun))).key.user == "ann"


@pytest.mark.req("ATK-39")
@pytest.mark.parametrize("query", ["iss=https://evil.example&code=c", "code=c", "iss=https://evil.example&error=<b>"])
async def test_an_answer_of_another_server_is_refused_and_its_words_are_not_shown(
    memory: Store, authority: Authority, query: str
) -> None:
    auth = at(memory, authority)
    begun = await auth.begin(ANN)

    with pytest.raises(LoginRefused, match="another authorization server") as caught:
        await auth.complete(f"{query}&state={_state(begun)}", cookies(begun))

    assert "evil" not in str(caught.value)
    assert "<b>" not in str(caught.value)
    assert authority.grants("authorization_code") == 0


@pytest.mark.req("AUTH-07")
async def test_a_person_who_does_not_agree_is_told_so(memory: Store, authority: Authority) -> None:
    auth = at(memory, authority)
    begun = await auth.begin(ANN)
    said = f"error=access_denied&error_description=<script>&iss={authority.url}&state={_state(begun)}"

    with pytest.raises(LoginRefused, match=r"did not agree \(access_denied\)") as caught:
        await auth.complete(said, cookies(begun))

    assert "script" not in str(caught.value)


@pytest.mark.req("ATK-44")
@pytest.mark.parametrize("place", ["//evil", "https:evil", "/\\evil", "javascript:alert(1)", "/a\r\nX: y", "", "done"])
async def test_a_login_returns_to_a_path_of_our_own_origin_only(sqlite_url: str, place: str) -> None:
    async with open_store(sqlite_url) as store:
        auth = AuthorizationCode(host_of(store), "notes", resource="https://notes.example/api")
        with pytest.raises(ConfigError, match="return_to"):
            await auth.begin(ANN, return_to=place)


@pytest.mark.req("AUTH-07")
async def test_more_scopes_are_asked_for_when_the_upstream_wants_them(memory: Store, authority: Authority) -> None:
    auth = AuthorizationCode(host_of(memory), "notes", resource=f"{authority.url}/api", scopes="read")
    await log_in(auth)
    authority.wants = "write"
    with pytest.raises(AuthRequired) as caught:
        await user_of(auth, authority)
    assert caught.value.scopes == ("read", "write")

    begun = await auth.begin(ANN, scopes=caught.value.scopes)
    await auth.complete(await agreed(begun), cookies(begun))

    assert await user_of(auth, authority) == "ann"


@pytest.mark.req("AUTH-09", "AUTH-07")
async def test_a_client_that_the_host_registered_logs_in_at_the_issuer_it_names(
    memory: Store, authority: Authority
) -> None:
    heard = Heard()
    authority.clients["ours"] = Registered("ours", "a b+c:d%", (CALLBACK,))
    authority.statuses["resource"] = 404
    auth = AuthorizationCode(
        host_of(memory, heard),
        "notes",
        issuer=authority.url,
        client=OAuthClient(id="ours", secret=Secret("a b+c:d%")),
        scopes="read",
    )
    await log_in(auth)

    assert await user_of(auth, authority) == "ann"
    assert [event.server for event in heard.events if event.kind == "issuer_override"] == [authority.url]
    assert "registered" not in heard.kinds()


@pytest.mark.req("AUTH-07")
async def test_endpoints_that_the_host_names_are_used_without_any_probe(memory: Store, authority: Authority) -> None:
    authority.statuses |= {"resource": 500, "server": 500}
    authority.clients["ours"] = Registered("ours", "s", (CALLBACK,), method="client_secret_post")
    server = AuthorizationServer(
        authorization_endpoint=f"{authority.url}/authorize", token_endpoint=f"{authority.url}/token"
    )
    client = OAuthClient(id="ours", secret=Secret("s"), method="client_secret_post")
    auth = AuthorizationCode(host_of(memory), "notes", server=server, client=client)
    await log_in(auth)

    assert await user_of(auth, authority) == "ann"


@pytest.mark.req("AUTH-09")
async def test_the_gateways_document_is_its_client_where_the_server_reads_one(
    memory: Store, authority: Authority
) -> None:
    document = "https://gateway.example/oauth/client.json"
    authority.metadata["client_id_metadata_document_supported"] = True
    authority.clients[document] = Registered(document, "", (CALLBACK,), method="none")
    host = host_of(memory, client_url=document)
    auth = AuthorizationCode(host, "notes", resource=f"{authority.url}/api")
    await log_in(auth)

    assert await user_of(auth, authority) == "ann"
    assert {*authority.clients} == {document}


@pytest.mark.req("ATK-45", "AUTH-09")
async def test_a_server_that_changed_gets_no_client_and_no_refresh_token_of_the_one_before(
    memory: Store, authority: Authority
) -> None:
    heard = Heard()
    await log_in(at(memory, authority, heard))
    authority.expire()
    asked = len(authority.asked)
    server = AuthorizationServer(
        token_endpoint=f"{authority.url}/token", issuer="https://other.example", authorization_endpoint=authority.url
    )
    moved = AuthorizationCode(host_of(memory, heard), "notes", server=server)

    with pytest.raises(ReconnectRequired):
        await user_of(moved, authority)

    assert len(authority.asked) == asked
    assert heard.kinds()[-1] == "reconnect_required"


@pytest.mark.req("ATK-45", "AUTH-09")
async def test_a_client_is_given_only_with_the_issuer_that_it_is_registered_at(sqlite_url: str) -> None:
    async with open_store(sqlite_url) as store:
        with pytest.raises(ConfigError, match=r"client=… is given without issuer=…"):
            AuthorizationCode(
                host_of(store), "notes", resource="https://notes.example", client=OAuthClient(id="x", method="none")
            )


@pytest.mark.req("ATK-43")
@pytest.mark.parametrize("methods", [["plain"], [], None])
async def test_a_server_without_s256_is_refused(
    sqlite_url: str, authority: Authority, methods: list[str] | None
) -> None:
    authority.metadata["code_challenge_methods_supported"] = methods
    async with open_store(sqlite_url) as store:
        with pytest.raises(UpstreamError, match="PKCE with S256"):
            await at(store, authority).begin(ANN)


@pytest.mark.req("AUTH-12")
async def test_a_logout_forgets_the_login_and_ends_its_tokens_at_the_server(store: Store, authority: Authority) -> None:
    heard = Heard()
    auth = at(store, authority, heard)
    await log_in(auth)
    await user_of(auth, authority)

    assert await auth.disconnect(ANN)

    assert authority.revoked[0] == "refresh_token"
    assert heard.kinds()[-1] == "disconnected"
    with pytest.raises(AuthRequired):
        await user_of(auth, authority)
    assert not await auth.disconnect(ANN)


@pytest.mark.req("AUTH-12")
async def test_a_logout_forgets_also_while_the_server_does_not_answer(memory: Store, authority: Authority) -> None:
    auth = at(memory, authority)
    await log_in(auth)
    authority.metadata["revocation_endpoint"] = "http://127.0.0.1:1/revoke"

    assert not await at(memory, authority).disconnect(ANN)
    assert not await auth.logged_in(ANN)


@pytest.mark.req("AUTH-07")
async def test_the_database_holds_no_token_and_no_state(tmp_path: Path, authority: Authority) -> None:
    async with open_store(f"sqlite:///{tmp_path}/store.db") as store:
        auth = at(store, authority)
        await log_in(auth)
        begun = await auth.begin(ANN)

    stored = _bytes_of(tmp_path)
    [issued] = authority.tokens
    [client] = authority.clients.values()
    secrets = [issued.access, issued.refresh or "", client.secret, _state(begun), begun.browser.reveal()]
    assert not [secret for secret in secrets if secret.encode() in stored]


@pytest.mark.req("AUTH-08")
def test_the_cookie_is_for_http_only_and_for_ten_minutes() -> None:
    begun = Begun(url="https://x", browser=Secret("value"), secure=True)

    assert begun.set_cookie() == "mcpbridge_login=value; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"
    assert "value" not in repr(begun)


async def test_a_host_gives_a_callback_that_browsers_can_be_sent_to(sqlite_url: str) -> None:
    async with open_store(sqlite_url) as store:
        for uri in ("http://gateway.example/callback", "gateway", "https://a@gateway.example/"):
            with pytest.raises(ConfigError, match="redirect_uri"):
                OAuthHost(store=store, vault=Vault(store, [KEY]), redirect_uri=uri)


def _bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def _state(begun: Begun) -> str:
    return httpx2.URL(begun.url).params["state"]


@pytest.mark.req("AUTH-07", "AUTH-09")
async def test_a_new_login_goes_to_the_server_that_the_upstream_names_by_now(
    memory: Store, authority: Authority
) -> None:
    auth = at(memory, authority)
    await log_in(auth)
    with running_authority() as other:
        authority.resource["authorization_servers"] = [other.url]
        begun = await auth.begin(ANN)

        assert begun.url.startswith(f"{other.url}/authorize?")
        assert not {*other.clients} & {*authority.clients}
        assert len(other.clients) == 1


@pytest.mark.req("AUTH-09")
@pytest.mark.parametrize(
    ("callback", "kind"),
    [("http://127.0.0.1:8000/oauth/callback", "native"), ("https://gateway.example/oauth/callback", "web")],
)
def test_a_client_says_where_its_browsers_come_back_to(callback: str, kind: str) -> None:
    assert client_document("Acme", callback)["application_type"] == kind
