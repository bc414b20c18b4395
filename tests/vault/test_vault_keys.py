"""Keys: where they come from, and what is refused as one."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import NoKeyringError

from mcpbridge.errors import ConfigError
from mcpbridge.vault.envelope import Refused
from mcpbridge.vault.keys import LocalKey, new_key, read_key
from mcpbridge.vault.providers import load_key

RAW = bytes(range(32))
TEXT = base64.b64encode(RAW).decode()


class MemoryKeyring(KeyringBackend):
    """A keyring as `keyring` wants its backends, that forgets."""

    priority = 1.0  # pyright: ignore[reportAssignmentType] - declared as a property of the class there
    works = True
    kept: ClassVar[dict[tuple[str, str], str]] = {}

    def get_password(self, service: str, username: str) -> str | None:
        if not self.works:
            raise NoKeyringError("locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    mine = MemoryKeyring()  # type: ignore[no-untyped-call] # untyped there
    keyring.set_keyring(mine)
    yield mine
    mine.kept.clear()
    keyring.set_keyring(before)


@pytest.mark.req("VAULT-02")
@pytest.mark.parametrize("text", [TEXT, TEXT.rstrip("="), RAW.hex(), RAW.hex().upper(), f" {TEXT} "])
def test_a_key_is_read_in_each_way_of_writing_it(text: str) -> None:
    assert read_key(text, where="here").id == LocalKey(RAW).id


@pytest.mark.req("VAULT-02")
def test_a_new_key_is_read_and_is_never_the_same() -> None:
    assert read_key(new_key(), where="here").id != read_key(new_key(), where="here").id


@pytest.mark.req("VAULT-02")
@pytest.mark.parametrize("text", ["canary", "canary!", "é", TEXT[:-8], "0" * 64, base64.b64encode(b"ab" * 16).decode()])
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^the file 'k' .*Vault\.new_key\(\)") as refused:
        read_key(text, where="the file 'k'")

    assert text not in str(refused.value)


@pytest.mark.req("VAULT-02")
async def test_another_key_does_not_unwrap() -> None:
    one, other = read_key(TEXT, where="here"), read_key(new_key(), where="here")
    wrapped = await one.wrap(os.urandom(32))

    assert one.id != other.id
    for key, data in ((other, wrapped), (one, wrapped[:5]), (one, wrapped[:-1])):
        with pytest.raises(Refused):
            await key.unwrap(data)


@pytest.mark.req("VAULT-02")
def test_a_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPBRIDGE_TEST_KEY", f"{TEXT}\n")

    assert load_key("env:MCPBRIDGE_TEST_KEY").id == LocalKey(RAW).id


@pytest.mark.req("VAULT-02")
@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440])
def test_a_key_comes_from_a_file_that_others_can_not_open(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_text(f"{TEXT}\n", "ascii")
    path.chmod(mode)

    assert load_key(f"file:{path}").id == LocalKey(RAW).id


@pytest.mark.req("VAULT-02")
@pytest.mark.parametrize("mode", [0o604, 0o602, 0o620, 0o644, 0o666])
def test_a_key_file_that_is_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_text(TEXT, "ascii")
    path.chmod(mode)

    with pytest.raises(ConfigError, match="chmod 600"):
        load_key(f"file:{path}")


@pytest.mark.req("VAULT-02")
def test_a_key_comes_from_the_keyring(ring: MemoryKeyring) -> None:
    ring.kept["mcpbridge", "vault"] = TEXT

    assert load_key("keyring:mcpbridge/vault").id == LocalKey(RAW).id


@pytest.mark.req("VAULT-02")
def test_a_keyring_without_the_key_or_without_service_says_so(ring: MemoryKeyring) -> None:
    with pytest.raises(ConfigError, match="keyring set mcpbridge vault"):
        load_key("keyring:mcpbridge/vault")
    ring.works = False
    with pytest.raises(ConfigError, match="NoKeyringError"):
        load_key("keyring:mcpbridge/vault")


@pytest.mark.req("VAULT-02")
@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("env:MCPBRIDGE_NO_SUCH_KEY", "holds no key"),
        ("file:/no/such/key", "No such file"),
        ("vault:x", "write 'env:NAME'"),
        ("env:", "write 'env:NAME'"),
        ("", "write 'env:NAME'"),
    ],
)
def test_a_reference_that_leads_nowhere_says_what_to_write(reference: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_key(reference)


def test_a_key_put_in_the_place_of_a_reference_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as refused:
        load_key(TEXT)

    assert TEXT[:8] not in str(refused.value)
    assert TEXT[:8] not in repr(read_key(TEXT, where="here"))
