"""The keys that sign a JWT, weak ones refused (RFC 7518 section 3, RFC 8725 section 3.5)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from mcpbridge.auth.hmac_keys import KeyEncoding, read_key
from mcpbridge.auth.pem import kept_pem, pem_bytes
from mcpbridge.auth.static import as_secret
from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret

Algorithm: TypeAlias = Literal["RS256", "PS256", "ES256", "EdDSA", "HS256"]

RSA_BITS = 2048
SHARED_BYTES = 32

_WANTED: Mapping[str, str] = {
    "RS256": "an RSA key of at least 2048 bits",
    "PS256": "an RSA key of at least 2048 bits",
    "ES256": "an EC key on P-256",
    "EdDSA": "an Ed25519 or Ed448 key",
}


def jwt_key(
    key: str | Secret, algorithm: Algorithm, *, password: str | Secret | None, encoding: KeyEncoding | None
) -> Key:
    """The key, ready to sign. Raises: ConfigError for one that is weak, unreadable, or of another algorithm."""
    if algorithm not in get_args(Algorithm):
        raise ConfigError(f"SignedJwt(algorithm={algorithm!r}) must be one of {', '.join(get_args(Algorithm))}")
    if algorithm == "HS256":
        if password is not None:
            raise ConfigError("SignedJwt(password=…) is for a key in PEM, and algorithm='HS256' has a shared one")
        return _shared(key, encoding or "text")
    if encoding is not None:
        raise ConfigError(f"SignedJwt(key_encoding=…) is for algorithm='HS256'; {algorithm!r} takes a key in PEM")
    return _private(key, algorithm, password)


def _shared(key: str | Secret, encoding: KeyEncoding) -> Key:
    raw = read_key(as_secret("SignedJwt(key=…)", key), encoding)
    if len(raw) < SHARED_BYTES:
        raise ConfigError(
            f"SignedJwt(key=…) has {len(raw)} bytes; HS256 needs {SHARED_BYTES} or more (RFC 7518 section 3.2)"
        )
    return OctKey.import_key(raw)


def _private(key: str | Secret, algorithm: Algorithm, password: str | Secret | None) -> Key:
    pem = pem_bytes(kept_pem("SignedJwt(key=…)", key))
    phrase = None if password is None else as_secret("SignedJwt(password=…)", password).reveal().encode()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a key that is refused below anyway
            loaded = load_pem_private_key(pem, phrase)
    except TypeError:  # a passphrase is missing, or there where none is needed
        said = "is encrypted: pass password=…" if phrase is None else "is not encrypted: leave password=… out"
        raise ConfigError(f"SignedJwt(key=…) {said}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError("SignedJwt(key=…) is no private key in PEM, or password=… is not its own") from None
    match loaded:
        case RSAPrivateKey() if algorithm in {"RS256", "PS256"} and loaded.key_size >= RSA_BITS:
            return RSAKey.import_key(loaded)
        case EllipticCurvePrivateKey() if algorithm == "ES256" and isinstance(loaded.curve, SECP256R1):
            return ECKey.import_key(loaded)
        case Ed25519PrivateKey() | Ed448PrivateKey() if algorithm == "EdDSA":
            return OKPKey.import_key(loaded)
        case _:
            size = f" of {loaded.key_size} bits" if isinstance(loaded, RSAPrivateKey) else ""
            kind = type(loaded).__name__.removesuffix("PrivateKey").lstrip("_")
            raise ConfigError(
                f"SignedJwt(algorithm={algorithm!r}) needs {_WANTED[algorithm]}; key=… is {kind}{size}"
            ) from None
