"""Keys of the vault: what wraps and unwraps data keys."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret
from mcpbridge.vault.envelope import KEY_SIZE, NONCE_SIZE, Refused

_HEX = re.compile(r"[0-9a-fA-F]{64}")
_VARIED = 8
"""Different bytes that 32 random ones always have: what has fewer was typed by hand."""


class Key(Protocol):
    """Wraps data keys, and unwraps what it wrapped. `id` is stored beside each of them, and is no secret.

    Both raise `KeyUnavailable` where the holder of the key does not answer, and `unwrap` raises `Refused` for what was
    not wrapped by this key. A data key is bound to no place here: the text under it is.
    """

    @property
    def id(self) -> str: ...

    async def wrap(self, data_key: bytes) -> bytes: ...

    async def unwrap(self, wrapped: bytes) -> bytes: ...


class LocalKey:
    """A key in this process's memory. Its id is computed from it, so that another key can never pass for it.

    Raises: ConfigError for what is no 32 random bytes.
    """

    __slots__ = ("_cipher", "_id")

    def __init__(self, key: bytes, *, where: str = "the vault's key") -> None:
        if len(key) != KEY_SIZE or len(set(key)) < _VARIED:
            raise ConfigError(f"{where} must be 32 random bytes: make one with Vault.new_key()")
        self._cipher = AESGCM(key)
        self._id = hmac.digest(key, b"mcpbridge key id", "sha256")[:8].hex()

    @property
    def id(self) -> str:
        return self._id

    async def wrap(self, data_key: bytes) -> bytes:
        nonce = os.urandom(NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, data_key, None)

    async def unwrap(self, wrapped: bytes) -> bytes:
        if len(wrapped) < NONCE_SIZE:
            raise Refused
        try:
            return self._cipher.decrypt(wrapped[:NONCE_SIZE], wrapped[NONCE_SIZE:], None)
        except InvalidTag:
            raise Refused from None

    def __repr__(self) -> str:
        return f"LocalKey({self._id!r})"


def new_key() -> str:
    """A new key as text (URL-safe base64 of 32 random bytes). Keep it apart from the database and its backups."""
    return base64.urlsafe_b64encode(os.urandom(KEY_SIZE)).decode("ascii")


def read_key(text: str | Secret, *, where: str) -> LocalKey:
    """A key from text: 64 hexadecimal digits, or base64 of 32 bytes in either alphabet.

    Raises: ConfigError that names where the text came from, and nothing of it.
    """
    plain = Secret.of(text).reveal().strip()
    if _HEX.fullmatch(plain):
        return LocalKey(bytes.fromhex(plain), where=where)
    padded = plain.rstrip("=") + "=" * (-len(plain.rstrip("=")) % 4)
    try:
        return LocalKey(base64.b64decode(padded.translate(_STANDARD), validate=True), where=where)
    except (binascii.Error, ValueError):  # text beyond ASCII is a ValueError
        raise ConfigError(f"{where} is neither base64 nor hexadecimal: make a key with Vault.new_key()") from None


_STANDARD = str.maketrans("-_", "+/")
