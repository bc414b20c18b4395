"""Secrets in a real database: kept, refused when somebody has changed them, rotated beside writers."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import secrets
from mcpbridge.store.store import Store
from mcpbridge.vault.envelope import Place
from mcpbridge.vault.errors import KeyUnavailable, SecretRefused
from mcpbridge.vault.host import HostKey
from mcpbridge.vault.keys import Key, LocalKey
from mcpbridge.vault.vault import Vault

OLD, NEW = (LocalKey(bytes(range(start, start + 32))) for start in (0, 64))
PLACE = Place(tenant="acme", integration="int_1", field="auth.token", revision=1)
CANARY = "s3same-canary"


async def keep(vault: Vault, *places: Place, text: str = CANARY) -> None:
    sealed = [(place, await vault.seal(place, Secret(text))) for place in places]
    async with vault.store.write() as connection:
        await vault.put(connection, sealed)


async def opened(vault: Vault, place: Place = PLACE) -> Secret:
    """The secret as a reader who knows its place opens it."""
    async with vault.store.read() as connection:
        kept = await vault.read(connection, place.tenant, place.integration)
    [envelope] = [envelope for found, envelope in kept.items() if found.field == place.field]
    return await vault.unseal(place, envelope)


async def key_ids(store: Store) -> set[str]:
    async with store.read() as connection:
        return set(await connection.scalars(select(secrets.c.key_id)))


def numbered(count: int, *, revision: int = 1) -> Sequence[Place]:
    return [replace(PLACE, integration=f"int_{number}", revision=revision) for number in range(count)]


@pytest.mark.req("VAULT-01")
async def test_a_secret_is_kept_replaced_and_forgotten(store: Store) -> None:
    vault = Vault(store, [OLD])
    await keep(vault, PLACE)
    assert await opened(vault) == Secret(CANARY)

    second = replace(PLACE, revision=2)
    await keep(vault, second, text="other")
    assert await opened(vault, second) == Secret("other")

    async with store.write() as connection:
        await vault.forget(connection, "acme", "int_1")
        assert await vault.read(connection, "acme", "int_1") == {}


@pytest.mark.req("VAULT-01")
async def test_one_field_is_forgotten_alone(store: Store) -> None:
    vault = Vault(store, [OLD])
    other = replace(PLACE, field="auth.value")
    await keep(vault, PLACE, other)
    async with store.write() as connection:
        await vault.forget(connection, "acme", "int_1", ["auth.token"])
        assert [*await vault.read(connection, "acme", "int_1")] == [other]


@pytest.mark.req("VAULT-01", "ATK-65")
@pytest.mark.parametrize(
    "moved",
    [
        replace(PLACE, tenant="elsewhere"),
        replace(PLACE, integration="int_2"),
        replace(PLACE, field="auth.value"),
        replace(PLACE, revision=7),
    ],
    ids=["tenant", "integration", "field", "revision"],
)
async def test_a_row_moved_to_another_place_is_refused(store: Store, moved: Place) -> None:
    vault = Vault(store, [OLD])
    await keep(vault, PLACE)
    async with store.write() as connection:
        await connection.execute(update(secrets).values(asdict(moved)))

    with pytest.raises(SecretRefused, match="give the credential anew") as refused:
        await opened(vault, moved)
    assert str(moved) in str(refused.value)
    assert CANARY not in str(refused.value)


@pytest.mark.req("VAULT-01", "ATK-65")
async def test_an_older_ciphertext_put_back_is_refused(store: Store) -> None:
    vault = Vault(store, [OLD])
    await keep(vault, PLACE)
    async with store.read() as connection:
        before = (await connection.execute(select(secrets.c.wrapped, secrets.c.sealed))).mappings().one()
    await keep(vault, replace(PLACE, revision=2), text="newer")
    async with store.write() as connection:
        await connection.execute(update(secrets).values(**before))

    with pytest.raises(SecretRefused, match="revision 2"):
        await opened(vault, replace(PLACE, revision=2))


@pytest.mark.req("ATK-65")
@pytest.mark.parametrize("change", [{"sealed": b""}, {"wrapped": b"x" * 60}, {"key_id": NEW.id}, {"key_id": "none"}])
async def test_a_changed_envelope_is_refused(store: Store, change: dict[str, Any]) -> None:
    vault = Vault(store, [NEW, OLD])
    await keep(Vault(store, [OLD]), PLACE)
    async with store.write() as connection:
        await connection.execute(update(secrets).values(**change))

    with pytest.raises(SecretRefused):
        await opened(vault)


@pytest.mark.req("VAULT-02")
async def test_secrets_without_their_key_refuse_to_start(store: Store) -> None:
    await keep(Vault(store, [OLD]), *numbered(3))

    await Vault(store, [NEW, OLD]).check()
    with pytest.raises(ConfigError, match=rf"3 under '{OLD.id}'.*add that key at the end"):
        await Vault(store, [NEW]).check()


@pytest.mark.req("VAULT-02")
async def test_the_first_key_writes_and_every_key_reads(store: Store) -> None:
    await keep(Vault(store, [OLD]), PLACE)
    vault = Vault(store, [NEW, OLD])
    other = replace(PLACE, integration="int_2")
    await keep(vault, other)

    assert await opened(vault) == await opened(vault, other) == Secret(CANARY)
    assert await key_ids(store) == {OLD.id, NEW.id}


@pytest.mark.req("VAULT-02")
@pytest.mark.parametrize("batch", [1, 2, 500])
async def test_after_a_rotation_the_old_key_can_go(store: Store, batch: int) -> None:
    await keep(Vault(store, [OLD]), *numbered(5))
    rotation = await Vault(store, [NEW, OLD]).rotate(batch=batch)

    assert (rotation.rewrapped, rotation.left) == (5, 0)
    await Vault(store, [NEW]).check()
    assert await opened(Vault(store, [NEW]), numbered(5)[4]) == Secret(CANARY)


@pytest.mark.req("VAULT-02")
async def test_a_rotation_leaves_what_does_not_open_and_counts_it(store: Store) -> None:
    await keep(Vault(store, [OLD]), *numbered(3))
    async with store.write() as connection:
        await connection.execute(update(secrets).where(secrets.c.integration == "int_1").values(wrapped=b"x" * 60))
    rotation = await Vault(store, [NEW, OLD]).rotate()

    assert (rotation.rewrapped, rotation.left) == (2, 1)


@pytest.mark.req("FLT-28")
async def test_a_rotation_beside_writers_fails_no_read_and_leaves_no_old_key(store: Store) -> None:
    """Four writers and two readers without a pause; `python -m benchmarks.rotation` says how many writes a second."""
    places = numbered(400)
    await keep(Vault(store, [OLD]), *places)
    vault, before = Vault(store, [NEW, OLD]), Vault(store, [OLD, NEW])
    stop, enough = asyncio.Event(), asyncio.Event()
    revisions = {place.integration: 1 for place in places}
    reads = writes = 0

    async def write(number: int) -> None:
        """As a replica of its own part; one still has the old key in front until the rotation is on its way."""
        nonlocal writes
        while not stop.is_set():
            place = places[writes * 4 % 400 + number]
            latest = replace(place, revision=revisions[place.integration] + 1)
            await keep(before if number == 0 and writes < 50 else vault, latest, text=f"{latest}")
            revisions[place.integration] = latest.revision
            writes += 1

    async def read() -> None:
        nonlocal reads
        while not stop.is_set():
            async with store.read() as connection:
                kept = await vault.read(connection, "acme", places[reads % 400].integration)
            for found, envelope in kept.items():
                assert (await vault.unseal(found, envelope)).reveal() in {CANARY, f"{found}"}
            reads += 1
            if min(reads, writes) >= 100:
                enough.set()

    async def rotate() -> int:
        rotation = await vault.rotate(batch=20)
        await enough.wait()
        stop.set()
        return rotation.rewrapped

    async with asyncio.timeout(60):
        *_, rewrapped = await asyncio.gather(*map(write, range(4)), read(), read(), rotate())
    assert rewrapped
    await vault.rotate()  # a write under the old key may have ended after the rotation had passed

    assert await key_ids(store) == {NEW.id}
    for place in places[::20]:
        latest = replace(place, revision=revisions[place.integration])
        assert (await opened(Vault(store, [NEW]), latest)).reveal() in {CANARY, f"{latest}"}


KILLED = """
import asyncio, os, sys
from mcpbridge.store.open import open_store
from mcpbridge.vault.keys import LocalKey
from mcpbridge.vault.vault import Vault

class Slow(LocalKey):
    wrapped = 0
    async def wrap(self, data_key):
        Slow.wrapped += 1
        if Slow.wrapped == 13:
            print("half", flush=True)
            await asyncio.Event().wait()
        return await super().wrap(data_key)

async def main():
    async with open_store(sys.argv[1]) as store:
        await Vault(store, [Slow(bytes(range(64, 96))), LocalKey(bytes(range(32)))]).rotate(batch=5)

asyncio.run(main())
"""


@pytest.mark.req("FLT-28")
async def test_a_rotation_that_was_killed_goes_on_where_it_was(store: Store, database_url: str) -> None:
    await keep(Vault(store, [OLD]), *numbered(20))
    command = [sys.executable, "-c", KILLED, database_url]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"half\n"
    finally:
        process.kill()
        await process.communicate()
    assert await key_ids(store) == {OLD.id, NEW.id}

    rotation = await Vault(store, [NEW, OLD]).rotate()

    assert (rotation.rewrapped, rotation.left) == (10, 0)


@pytest.mark.req("FLT-39")
async def test_without_the_holder_of_the_key_nothing_is_stored(store: Store) -> None:
    async def down(data: bytes) -> bytes:
        raise ConnectionError

    vault = Vault(store, [HostKey("kms/1", wrap=down, unwrap=down)])
    with pytest.raises(KeyUnavailable):
        await keep(vault, PLACE)

    assert await key_ids(store) == set()


def _bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.mark.req("VAULT-03")
async def test_no_byte_of_a_secret_is_in_the_files_of_the_store(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path / 'gateway.db'}") as store:
        await keep(Vault(store, [OLD]), PLACE)
        written = await asyncio.to_thread(_bytes_of, tmp_path)

    assert b"auth.token" in written
    assert CANARY.encode() not in written


@pytest.mark.parametrize("keys", [[], "env:MCPBRIDGE_KEY", [OLD, OLD]])
def test_a_list_of_keys_that_can_not_be_meant_is_refused(keys: Sequence[str | Key]) -> None:
    with pytest.raises(ConfigError, match="newest first"):
        Vault(open_store(":memory:"), keys)


async def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        await Vault(open_store(":memory:"), [OLD]).rotate(batch=0)


def test_a_new_key_is_one_and_no_repr_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = Vault.new_key()
    monkeypatch.setenv("MCPBRIDGE_TEST_KEY", text)
    vault = Vault(open_store(":memory:"), ["env:MCPBRIDGE_TEST_KEY"])

    assert os.environ["MCPBRIDGE_TEST_KEY"] not in repr(vault) + repr(vars(vault))
