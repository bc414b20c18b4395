"""Shared keys, however they are written; those of `HmacSignature` are several, newest first."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

from mcpbridge.auth.static import Credential, as_secret
from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret

KeyEncoding: TypeAlias = Literal["text", "hex", "base64", "whsec"]


def _base64(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), validate=True)


_DECODE: Mapping[KeyEncoding, Callable[[str], bytes]] = {
    "text": str.encode,
    "hex": bytes.fromhex,
    "base64": _base64,
    "whsec": lambda text: _base64(text.removeprefix("whsec_")),
}


def read_key(secret: Secret, encoding: KeyEncoding) -> bytes:
    """The bytes of a key. Raises: ConfigError for one that is empty, or not written so."""
    if encoding not in _DECODE:
        raise ConfigError(f"key_encoding={encoding!r} must be one of {', '.join(_DECODE)}")
    try:
        key = _DECODE[encoding](secret.reveal())
    except (binascii.Error, ValueError):
        raise ConfigError(f"a key is not written in key_encoding={encoding!r}") from None
    if not key:
        raise ConfigError("a key is empty")
    return key


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key, or a function that gives it each time."""

    value: Secret | Callable[[], str | Secret] = field(repr=False)
    encoding: KeyEncoding

    def sign(self, message: bytes, digest: str) -> bytes:
        """The HMAC (RFC 2104). Raises: ConfigError for a key that a function gives and can't be read."""
        return hmac.digest(self._bytes(), message, digest)

    def _bytes(self) -> bytes:
        given = self.value if isinstance(self.value, Secret) else as_secret("an HMAC key", self.value())
        return read_key(given, self.encoding)

    def checked(self) -> SigningKey:
        """The key itself. Raises: ConfigError for one that is there already and can't be read."""
        if isinstance(self.value, Secret):
            self._bytes()
        return self


def signing_keys(given: Credential | Sequence[Credential], encoding: KeyEncoding) -> Sequence[SigningKey]:
    """The keys in their order. Raises: ConfigError where there is none, or one can't be read."""
    keys: list[Credential] = [*given] if isinstance(given, list | tuple) else [cast("Credential", given)]
    if not keys:
        raise ConfigError("HmacSignature needs a key, or several, newest first")
    values = [key if callable(key) else as_secret("an HMAC key", key) for key in keys]
    return [SigningKey(value, encoding).checked() for value in values]
