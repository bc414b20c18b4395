"""Integrations in a real database: who may see and change what, and what becomes of their credentials."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from typing import Any

import pytest
from sqlalchemy import event, func, select

from mcpbridge.audit.stored import StoreSink
from mcpbridge.errors import BridgeError, ConfigError
from mcpbridge.integrations.errors import (
    IntegrationNotFound,
    InvalidRecord,
    NotAllowed,
    NotEntitled,
    RevisionConflict,
)
from mcpbridge.integrations.hooks import Management
from mcpbridge.integrations.record import Integration
from mcpbridge.integrations.registry import Integrations
from mcpbridge.integrations.stored import StoredIntegration
from mcpbridge.secret import MASK, Secret
from mcpbridge.store.changes import revisions_of
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import logins, metadata, secrets, tokens
from mcpbridge.store.store import Store
from mcpbridge.tools import Caller
from mcpbridge.vault.errors import SecretRefused
from mcpbridge.vault.keys import LocalKey
from mcpbridge.vault.vault import Vault

ADA, BOB = (Caller(tenant="acme", user=user) for user in ("ada", "bob"))
EVE = Caller(tenant="evil", user="eve")
CANARY = "s3same-canary"
REST: dict[str, Any] = {
    "name": "tickets",
    "protocol": "rest",
    "openapi": "https://tickets.example/openapi.json",
    "category": "tracker",
    "auth": {"type": "bearer", "prefix": "Token", "token": CANARY},
}
CHILD = {"name": "files", "protocol": "mcp", "transport": "stdio", "command": "uvx"}
SYSTEM = Integration(name="status", protocol="rest", openapi="./status.json", auth={"type": "bearer", "token": CANARY})


def _vault(store: Store) -> Vault:
    return Vault(store, [LocalKey(bytes(range(32)))])


@pytest.fixture
def vault(store: Store) -> Vault:
    return _vault(store)


@pytest.fixture
def kept(store: Store, vault: Vault) -> Integrations:
    return Integrations(store, vault, system=[SYSTEM], audit=StoreSink(store))


@pytest.fixture
async def memory() -> AsyncIterator[Store]:
    """A store for what does not depend on the database."""
    async with open_store(":memory:") as opened:
        yield opened


@pytest.fixture
def quick(memory: Store) -> Integrations:
    return Integrations(memory, _vault(memory), system=[SYSTEM])


async def token(kept: Integrations, stored: StoredIntegration) -> Secret:
    auth: Any = (await kept.revealed(stored)).auth
    assert isinstance(auth.token, Secret)
    return auth.token


async def rows(store: Store) -> dict[str, int]:
    async with store.read() as connection:
        counted = {table.name: select(func.count()).select_from(table) for table in metadata.sorted_tables}
        return {name: await connection.scalar(query) or 0 for name, query in counted.items()}


@pytest.mark.req("INT-01", "VAULT-03")
async def test_what_is_created_is_read_and_shows_no_credential(kept: Integrations) -> None:
    made = await kept.create(ADA, REST)
    read = await kept.get(ADA, "tickets")
    view = read.view()

    assert (read.id, read.revision, read.state, read.record) == (made.id, 1, "pending", made.record)
    assert view["auth"] == {
        "type": "bearer",
        "prefix": "Token",
        "token": {"set": True, "updated_at": read.updated_at},
    }
    assert await token(kept, read) == Secret(CANARY)
    assert CANARY not in f"{made!r} {read!r} {view} {read.document} {vars(read)}"


@pytest.mark.req("INT-01")
async def test_listings_are_sorted_paged_and_chosen(kept: Integrations) -> None:
    await kept.create_all(ADA, [{**REST, "name": name, "category": name[:1]} for name in ("c1", "a1", "b1", "a2")])
    await kept.disable(ADA, "a2")

    async def names(**chosen: Any) -> list[str]:
        return [each.name for each in await kept.list(ADA, **chosen)]

    assert await names() == ["a1", "a2", "b1", "c1", "status"]
    assert await names(category="a") == ["a1", "a2"]
    assert await names(state="disabled") == ["a2"]
    assert await names(limit=2) == ["a1", "a2"]
    assert await names(after="a2", limit=2) == ["b1", "c1"]
    assert [each.name for each in await kept.list(EVE)] == ["status"]
    assert [each.name for each in await kept.load()] == ["a1", "a2", "b1", "c1"]
    assert list(await kept.load("evil")) == []


@pytest.mark.req("INT-02")
async def test_a_name_is_taken_once_in_a_tenant_and_whose_it_is_is_not_told(kept: Integrations) -> None:
    await kept.create(ADA, {**REST, "visibility": "private", "owner": "ada"})
    await kept.create(EVE, REST)

    said: list[str] = []
    for caller, name in ((ADA, "tickets"), (BOB, "tickets"), (BOB, "status")):
        with pytest.raises(InvalidRecord, match=rf"name: '{name}' is taken: choose another$") as taken:
            await kept.create(caller, {**REST, "name": name})
        said.append(str(taken.value).replace(name, "X"))
    assert len(set(said)) == 1
    with pytest.raises(InvalidRecord, match="'twice' is taken"):
        await kept.create_all(ADA, [{**REST, "name": "twice"}] * 2)


@pytest.mark.req("INT-01")
async def test_a_batch_that_can_not_be_created_whole_leaves_nothing(kept: Integrations, store: Store) -> None:
    await kept.create(ADA, REST)
    before = await rows(store)
    for second in (REST, {**REST, "name": "No Slug"}):
        with pytest.raises(InvalidRecord):
            await kept.create_all(ADA, [{**REST, "name": "other"}, second])

    assert await rows(store) == before
    assert await token(kept, await kept.get(ADA, "tickets")) == Secret(CANARY)


@pytest.mark.req("INT-03")
async def test_fields_that_are_left_out_stay_and_null_puts_back_the_default(kept: Integrations) -> None:
    await kept.create(ADA, {**REST, "display_name": "Tickets", "base_url": "https://a.example"})
    changed = await kept.update(ADA, "tickets", {"base_url": "https://b.example", "category": None})

    shown = changed.view()
    assert (shown["display_name"], shown["base_url"], shown["category"]) == ("Tickets", "https://b.example", "")
    assert (changed.revision, await token(kept, changed)) == (2, Secret(CANARY))


@pytest.mark.req("INT-03", "ATK-66")
@pytest.mark.parametrize(
    "auth",
    [
        {"type": "bearer"},
        {"prefix": "Bearer"},
        {"type": "bearer", "token": MASK},
        {"type": "bearer", "token": {"set": True, "updated_at": 1}},
        {"type": "bearer", "token": {"set": True, "revision": 77}},
    ],
)
async def test_a_credential_left_out_or_masked_stays(quick: Integrations, auth: dict[str, Any]) -> None:
    await quick.create(ADA, REST)
    changed = await quick.update(ADA, "tickets", {"auth": auth, "display_name": "x"})

    assert await token(quick, changed) == Secret(CANARY)
    assert changed.view()["auth"]["prefix"] == "Bearer"


@pytest.mark.req("INT-03")
async def test_a_view_that_is_edited_and_sent_back_changes_what_was_edited(kept: Integrations) -> None:
    view = (await kept.create(ADA, {**REST, "headers": {"X-Api-Key": CANARY, "X-Old": "a"}})).view()
    changed = await kept.update(ADA, "tickets", {**view, "headers": {"X-Api-Key": view["headers"]["X-Api-Key"]}})
    record: Any = await kept.revealed(changed)

    assert dict(record.headers) == {"X-Api-Key": Secret(CANARY)}
    assert record.auth.token == Secret(CANARY)


@pytest.mark.req("INT-03")
async def test_a_credential_that_is_given_replaces_the_old_one(kept: Integrations, store: Store) -> None:
    old = await kept.create(ADA, REST)
    new = await kept.update(ADA, "tickets", {"auth": {"type": "bearer", "token": "newer"}})

    assert await token(kept, new) == Secret("newer")
    assert new.view()["auth"]["token"]["updated_at"] == new.updated_at
    with pytest.raises(RevisionConflict, match="'tickets' is no longer at revision 1"):
        await kept.revealed(old)
    assert (await rows(store))["secrets"] == 1


@pytest.mark.req("INT-03")
async def test_another_kind_of_auth_needs_its_own_credential_and_forgets_the_old(
    quick: Integrations, memory: Store
) -> None:
    await quick.create(ADA, REST)
    for auth in ({"type": "basic", "user": "a"}, {"type": "basic", "user": "a", "password": MASK}):
        with pytest.raises(InvalidRecord, match=r"auth\.password: is "):
            await quick.update(ADA, "tickets", {"auth": auth})
    await quick.update(ADA, "tickets", {"auth": {"type": "none"}})

    assert (await rows(memory))["secrets"] == 0


@pytest.mark.req("ATK-66")
async def test_a_mask_in_a_new_record_is_no_credential(quick: Integrations) -> None:
    with pytest.raises(InvalidRecord, match=r"auth\.token: is a mask, and nothing is stored there"):
        await quick.create(ADA, {**REST, "auth": {"type": "bearer", "token": MASK}})


@pytest.mark.req("INT-03")
async def test_operations_are_added_removed_and_redefined(quick: Integrations) -> None:
    ping, pong = ({"name": name, "method": "GET", "path": f"/{name}"} for name in ("ping", "pong"))
    hand = {"name": "hand", "protocol": "rest", "base_url": "https://x.example"}
    await quick.create(ADA, {**hand, "operations": [ping]})
    changed = await quick.update(ADA, "hand", {"operations": [{**ping, "method": "POST"}, pong]})
    assert [(each["name"], each["method"]) for each in changed.view()["operations"]] == [
        ("ping", "POST"),
        ("pong", "GET"),
    ]

    changed = await quick.update(ADA, "hand", {"operations": [pong]})
    assert [each["name"] for each in changed.view()["operations"]] == ["pong"]


@pytest.mark.req("INT-03")
@pytest.mark.parametrize(
    "changes",
    [{"base_url": "ftp://x"}, {"colour": 1}, {"agents": []}, {"name": "b"}, {"protocol": "mcp"}, {"id": "int_1"}],
)
async def test_a_change_that_is_refused_changes_nothing(
    quick: Integrations, memory: Store, changes: dict[str, Any]
) -> None:
    await quick.create(ADA, REST)
    before = await rows(memory)
    with pytest.raises(InvalidRecord, match=next(iter(changes))):
        await quick.update(ADA, "tickets", {"display_name": "half", **changes})

    now = await quick.get(ADA, "tickets")
    assert (now.revision, now.record.display_name, await rows(memory)) == (1, "", before)


async def test_a_change_of_nothing_is_no_new_revision(quick: Integrations) -> None:
    await quick.create(ADA, REST)

    assert (await quick.update(ADA, "tickets", {"category": "tracker"})).revision == 1


@pytest.mark.req("INT-03")
async def test_changes_made_for_an_older_revision_are_refused(kept: Integrations) -> None:
    view = (await kept.create(ADA, REST)).view()
    await kept.update(ADA, "tickets", {"display_name": "first"})
    for changes, revision in ((view, None), ({"display_name": "second"}, 1)):
        with pytest.raises(RevisionConflict, match="read it again"):
            await kept.update(ADA, "tickets", changes, revision=revision)

    assert (await kept.get(ADA, "tickets")).record.display_name == "first"


async def test_changes_at_the_same_time_are_all_there(kept: Integrations) -> None:
    await kept.create(ADA, REST)
    fields = ("display_name", "description", "category", "reason")
    await asyncio.gather(*(kept.update(ADA, "tickets", {field: "changed"}) for field in fields))

    now = await kept.get(ADA, "tickets")
    assert (now.revision, {getattr(now.record, field) for field in fields}) == (5, {"changed"})


@pytest.mark.req("INT-05")
async def test_switching_off_has_a_reason_and_switching_on_takes_it_away(kept: Integrations) -> None:
    await kept.create(ADA, REST)
    off = await kept.disable(ADA, "tickets", reason="too noisy")
    assert (off.state, off.enabled, off.record.reason) == ("disabled", False, "too noisy")

    on = await kept.enable(ADA, "tickets")
    assert (on.state, on.enabled, on.record.reason) == ("pending", True, "")


@pytest.mark.req("INT-05")
async def test_what_is_deleted_is_gone_with_its_secrets_tokens_and_logins(kept: Integrations, store: Store) -> None:
    before = await rows(store)
    made = await kept.create(ADA, REST)
    sealed = {"tenant": "acme", "integration": made.id, "user": "", "key_id": "k", "wrapped": b"", "sealed": b""}
    async with store.write() as connection:
        await connection.execute(tokens.insert().values(**sealed, version=1, state="ok", updated=0))
        await connection.execute(logins.insert().values(**sealed, id="l", browser="b", created=0, expires=0))
    await kept.delete(ADA, "tickets")

    with pytest.raises(IntegrationNotFound):
        await kept.get(ADA, made.id)
    after = await rows(store)
    assert {name: after[name] for name in ("integrations", "secrets", "tokens", "logins")} == {
        name: before[name] for name in ("integrations", "secrets", "tokens", "logins")
    }
    assert (await kept.create(ADA, REST)).id != made.id


@pytest.mark.req("INT-05")
async def test_one_of_the_system_is_switched_for_one_tenant_and_nothing_else(kept: Integrations) -> None:
    off = await kept.disable(ADA, "status", reason="not ours")
    assert (off.system, off.state, off.record.reason, (await kept.get(EVE, "status")).state) == (
        True, "disabled", "not ours", "pending",
    )  # fmt: skip
    assert (await kept.disable(ADA, "status")).revision == off.revision + 1
    with pytest.raises(NotAllowed, match="only enable or disable"):
        await kept.update(ADA, "status", {"display_name": "x"})
    with pytest.raises(NotAllowed, match="disable it instead"):
        await kept.delete(ADA, "status")
    with pytest.raises(InvalidRecord, match="reason"):
        await kept.disable(ADA, "status", reason="x" * 201)

    on = await kept.enable(ADA, "status")
    assert on.state == "pending"
    assert await token(kept, on) == Secret(CANARY)
    assert on.view()["auth"]["token"] == {"set": True}
    assert CANARY not in f"{on!r} {on.document} {on.view()}"


async def test_a_tenants_own_integration_stands_before_a_later_one_of_the_system(store: Store, vault: Vault) -> None:
    await Integrations(store, vault).create(ADA, {**REST, "name": "status"})
    kept = Integrations(store, vault, system=[SYSTEM])

    assert [each.system for each in await kept.list(ADA)] == [False]
    assert (await kept.get(ADA, "status")).system is False
    assert (await kept.get(EVE, "status")).system is True
    await kept.update(ADA, "status", {"visibility": "private", "owner": "ada"})
    with pytest.raises(IntegrationNotFound):
        await kept.get(BOB, "status")


@pytest.mark.parametrize("change", [{}, {"visibility": "private", "owner": "ada", "name": "other"}])
def test_system_integrations_that_can_not_be_are_refused(change: dict[str, Any]) -> None:
    another = Integration(**{"name": "status", "protocol": "rest", "openapi": "./a.json", **change})
    with pytest.raises(ConfigError, match="system integration"):
        Integrations(None, system=[SYSTEM, another])  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # it is not reached


@pytest.mark.req("ATK-54")
async def test_another_tenants_integration_is_as_one_that_does_not_exist(kept: Integrations, store: Store) -> None:
    made = await kept.create(ADA, REST)
    private = await kept.create(ADA, {**REST, "name": "mine", "visibility": "private", "owner": "ada"})
    seen: list[str] = []
    event.listen(
        store.database.reader.sync_engine,
        "before_cursor_execute",
        lambda *arguments: seen.append(arguments[2]),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    )

    async def asked(caller: Caller, name: str) -> tuple[str, list[str]]:
        seen.clear()
        with pytest.raises(BridgeError) as missing:
            await kept.get(caller, name)
        return str(missing.value).replace(name, "X"), [*seen]

    nothing = [await asked(EVE, "nothing"), await asked(EVE, "int_000000000000000000000000")]
    assert [await asked(EVE, "tickets"), await asked(EVE, made.id)] == nothing
    assert [await asked(BOB, "mine"), await asked(BOB, private.id)] == nothing
    for work in (kept.update(EVE, made.id, {}), kept.delete(EVE, made.id), kept.disable(EVE, "tickets")):
        with pytest.raises(IntegrationNotFound):
            await work
    assert [each.name for each in await kept.list(BOB)] == ["status", "tickets"]


@pytest.mark.req("INT-08")
@pytest.mark.parametrize("answer", [False, None, "yes", 1, ValueError(CANARY)])
async def test_only_a_clear_yes_of_the_host_is_one(memory: Store, answer: object) -> None:
    def rule(caller: Caller, wanted: Management) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(NotAllowed, match="may not create the integration 'tickets'"):
        await Integrations(memory, _vault(memory), authorize=rule).create(ADA, REST)
    with pytest.raises(NotEntitled, match="plan"):
        await Integrations(memory, _vault(memory), entitled=rule).list(ADA)
    assert (await rows(memory))["integrations"] == 0


@pytest.mark.req("INT-08")
async def test_the_host_is_asked_about_every_action_with_the_fields_that_it_gives(memory: Store) -> None:
    asked: list[tuple[str, str, frozenset[str]]] = []

    async def rule(caller: Caller, wanted: Management) -> bool:
        asked.append((wanted.action, wanted.name, wanted.fields))
        return True

    quick = Integrations(memory, _vault(memory), authorize=rule)
    await quick.create(ADA, REST)
    await quick.get(ADA, "tickets")
    await quick.list(ADA)
    await quick.update(ADA, "tickets", {"trusted": True})
    await quick.disable(ADA, "tickets")
    await quick.enable(ADA, "tickets")
    await quick.delete(ADA, "tickets")

    assert [(action, name) for action, name, _ in asked] == [
        ("create", "tickets"), ("read", "tickets"), ("list", ""), ("update", "tickets"), ("disable", "tickets"),
        ("enable", "tickets"), ("delete", "tickets"),
    ]  # fmt: skip
    assert asked[0][2] == {*REST}
    assert asked[3][2] == {"trusted"}


@pytest.mark.req("INT-08")
async def test_only_agents_teams_and_environments_that_there_are_can_be_named(memory: Store) -> None:
    def known(caller: Caller, party: str, names: Collection[str]) -> Any:
        return None if party == "team" else {"triage", "production"}

    quick = Integrations(memory, _vault(memory), known=known)
    await quick.create(ADA, {**REST, "agents": ["*", "triage"], "environments": ["production"]})
    with pytest.raises(InvalidRecord, match=r"agents: there is no agent 'ghost'; teams: there is no team 'platform'"):
        await quick.update(ADA, "tickets", {"agents": ["ghost", "triage"], "teams": ["platform"]})


@pytest.mark.req("UP-10", "ATK-61")
async def test_no_program_is_started_for_people_unless_the_host_allows_this_one(memory: Store) -> None:
    with pytest.raises(InvalidRecord, match="transport: is 'stdio'"):
        await Integrations(memory, _vault(memory)).create(ADA, CHILD)
    allowing = Integrations(memory, _vault(memory), child=lambda record: record.command == "uvx")
    await allowing.create(ADA, CHILD)
    with pytest.raises(InvalidRecord, match="transport: is 'stdio'"):
        await allowing.update(ADA, "files", {"command": "sh"})


@pytest.mark.req("ATK-02")
@pytest.mark.parametrize("path", ["/etc/passwd", "file:///etc/passwd", "./github.json"])
async def test_people_can_not_have_a_file_of_the_gateway_read(quick: Integrations, path: str) -> None:
    with pytest.raises(InvalidRecord, match="openapi: must be a URL here"):
        await quick.create(ADA, {**REST, "openapi": path})


@pytest.mark.req("AUD-01")
async def test_every_change_is_audited_with_it_and_without_its_values(kept: Integrations, store: Store) -> None:
    await kept.create(ADA, REST)
    await kept.update(ADA, "tickets", {"display_name": "x", "auth": {"type": "bearer", "token": "newer"}})
    await kept.disable(ADA, "status")
    await kept.delete(ADA, "tickets")
    async with store.read() as connection:
        lines = [*await connection.scalars(select(metadata.tables["audit"].c.entry).order_by("number"))]

    assert [json.loads(line)["action"] for line in lines] == ["create", "update", "disable", "delete"]
    assert '"fields":["auth","display_name"]' in lines[1]
    assert CANARY not in str(lines)
    assert "newer" not in str(lines)
    assert kept.audit is not None
    assert await kept.audit.verify() == []


@pytest.mark.req("APR-01", "APR-02")
async def test_asking_less_is_an_event_of_its_own_in_the_same_transaction(kept: Integrations, store: Store) -> None:
    rules: list[dict[str, Any]] = [{"drop": "ask"}, {"drop": "auto", "look": "ask"}, {"look": "ask"}, {}]
    made = await kept.create(ADA, REST)
    for approval in rules:
        await kept.update(ADA, "tickets", {"tools": {"approval": approval}})
    await kept.update(ADA, "tickets", {"trusted": True})
    async with store.read() as connection:
        lines = [*await connection.scalars(select(metadata.tables["audit"].c.entry).order_by("number"))]
    told = [event for line in lines if (event := json.loads(line))["action"] == "relax"]

    assert not made.record.trusted
    assert [(event["details"]["revision"], event["details"]["relaxed"]) for event in told] == [
        (3, ["tools.approval.drop"]),
        (5, ["tools.approval.look"]),
        (6, ["trusted"]),
    ]
    assert {event["who"]["user"] for event in told} == {"ada"}


async def test_every_change_is_news_for_other_replicas(kept: Integrations, store: Store) -> None:
    await kept.create(ADA, REST)
    await kept.update(ADA, "tickets", {"display_name": "x"})
    await kept.disable(ADA, "status")
    await kept.delete(ADA, "tickets")

    assert await revisions_of(store) == {"acme": 4}


@pytest.mark.req("VAULT-02")
async def test_without_the_vault_or_its_key_there_is_no_start_and_no_credential(store: Store, vault: Vault) -> None:
    bare = Integrations(store)
    await bare.check()
    with pytest.raises(ConfigError, match=r"auth\.token of 'tickets' is a credential, and there is no vault"):
        await bare.create(ADA, REST)
    await bare.create(ADA, {**REST, "auth": {"type": "none"}, "name": "open"})
    await Integrations(store, vault).create(ADA, REST)

    with pytest.raises(ConfigError, match="holds secrets"):
        await bare.check()
    with pytest.raises(ConfigError, match="add that key"):
        await Integrations(store, Vault(store, [LocalKey(bytes(range(64, 96)))])).check()
    await Integrations(store, vault).check()


@pytest.mark.req("ATK-65")
async def test_a_secret_that_somebody_took_away_is_named(kept: Integrations, store: Store) -> None:
    made = await kept.create(ADA, REST)
    async with store.write() as connection:
        await connection.execute(secrets.delete())

    with pytest.raises(SecretRefused, match=r"'auth\.token'.*give the credential anew"):
        await kept.revealed(made)


@pytest.mark.req("INT-10")
async def test_two_thousand_are_created_and_loaded_in_one_go(kept: Integrations) -> None:
    made = await kept.create_all(ADA, [{**REST, "name": f"n{number}"} for number in range(2000)])

    assert len({each.id for each in made}) == len(await kept.load()) == 2000
