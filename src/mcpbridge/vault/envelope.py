"""The envelope of one stored secret. Pure, but for the randomness that is passed in.

AES-256-GCM (NIST SP 800-38D) twice: a fresh data key seals the text, and a key of the vault wraps the data key. The
place of the secret is associated data, so that what was moved, cut, changed or taken from an older revision does not
open.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcpbridge.secret import Secret

KEY_SIZE = 32
NONCE_SIZE = 12
_TAG_SIZE = 16
_VERSION = "mcpbridge secret 1"
_encode = json.JSONEncoder(separators=(",", ":")).encode

Random = Callable[[int], bytes]
"""Gives that many unpredictable bytes."""


class Refused(ValueError):
    """The bytes were not sealed here with this key. It holds nothing of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a secret belongs. `revision` is the integration's revision in which it was given."""

    tenant: str
    integration: str
    field: str
    revision: int

    def associated(self) -> bytes:
        """The place as bytes, no two places alike: what both layers of the envelope are bound to."""
        words = (_VERSION, self.tenant, self.integration, self.field, self.revision)
        return _encode(words).encode("ascii")

    def __str__(self) -> str:
        return f"{self.field!r} of integration {self.integration!r} (tenant {self.tenant!r}, revision {self.revision})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """A sealed text: `sealed` under its data key, and that `wrapped` by the vault's key `key_id`."""

    key_id: str
    wrapped: bytes
    sealed: bytes


def encrypt(key: bytes, text: bytes, associated: bytes, *, random: Random = os.urandom) -> bytes:
    """Nonce, ciphertext and tag. One key may encrypt 2^32 texts (SP 800-38D section 8.3)."""
    nonce = random(NONCE_SIZE)
    return nonce + AESGCM(key).encrypt(nonce, text, associated)


def decrypt(key: bytes, data: bytes, associated: bytes) -> bytes:
    """The text that `encrypt` sealed with this key and these associated bytes. Raises: Refused."""
    if len(data) < NONCE_SIZE + _TAG_SIZE:
        raise Refused
    try:
        return AESGCM(key).decrypt(data[:NONCE_SIZE], data[NONCE_SIZE:], associated)
    except InvalidTag:
        raise Refused from None


def seal(secret: Secret, data_key: bytes, associated: bytes, *, random: Random = os.urandom) -> bytes:
    """The secret under a data key that seals nothing else."""
    return encrypt(data_key, secret.reveal().encode("utf-8", "surrogatepass"), associated, random=random)


def unseal(sealed: bytes, data_key: bytes, associated: bytes) -> Secret:
    """The secret that was sealed for exactly this place. Raises: Refused."""
    return Secret(decrypt(data_key, sealed, associated).decode("utf-8", "surrogatepass"))
