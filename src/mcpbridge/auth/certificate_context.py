"""A TLS context with a client's certificate, made of texts in memory."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from mcpbridge.auth.pem import kept_pem, pem_bytes
from mcpbridge.auth.static import as_secret
from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret


def client_context(
    cert: str | Secret, key: str | Secret, *, password: str | Secret | None, roots: str | None
) -> ssl.SSLContext:
    """The context that shows `cert` to servers, and trusts the system's roots or `roots`.

    OpenSSL reads a key from a file alone: it gets one in memory, or where the system has none (`memfd_create`, Linux)
    one that only this user can read, which is gone when this returns.

    Raises: ConfigError for what is no PEM, a key of another certificate, and a passphrase that is not the key's.
    """
    certificate = pem_bytes(kept_pem("client_certificate(cert=…)", cert))
    private = pem_bytes(kept_pem("client_certificate(key=…)", key))
    phrase = None if password is None else as_secret("client_certificate(password=…)", password).reveal()
    if (phrase is None) is (b"ENCRYPTED" in private):
        said = "is encrypted: pass password=…" if phrase is None else "is not encrypted: leave password=… out"
        raise ConfigError(f"client_certificate(key=…) {said}")
    context = _trusting(roots)
    with _readable(certificate + private) as path:
        try:
            context.load_cert_chain(path, password=phrase)
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError(_told(error, encrypted=phrase is not None)) from None
    return context


def _trusting(roots: str | None) -> ssl.SSLContext:
    if roots is None:
        return httpx2.create_ssl_context()
    text = pem_bytes(kept_pem("client_certificate(roots=…)", roots)).decode()
    try:
        return ssl.create_default_context(cadata=text)
    except (ssl.SSLError, ValueError):
        raise ConfigError("client_certificate(roots=…) must be certificates in PEM") from None


def _told(error: Exception, *, encrypted: bool) -> str:
    reason = getattr(error, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return "client_certificate: key=… is not the key of cert=…"
    if encrypted and reason in {None, "BAD_DECRYPT", "PEM_LIB"}:
        return "client_certificate: password=… does not open key=…"
    return f"client_certificate: cert=… and key=… can't be used together ({reason or 'unreadable'})"


@contextmanager
def _readable(text: bytes) -> Generator[Path]:
    """The path of a file with the text, while it is read."""
    with in_memory(text) if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir() else on_disk(text) as path:
        yield path


@contextmanager
def in_memory(text: bytes) -> Generator[Path]:
    """A file that no folder holds."""
    number = os.memfd_create("mcpbridge")
    with os.fdopen(number, "wb", buffering=0) as file:
        file.write(text)
        yield Path(f"/proc/self/fd/{number}")


@contextmanager
def on_disk(text: bytes) -> Generator[Path]:
    """A file that only this user can read, for as long as it is used."""
    number, name = tempfile.mkstemp(prefix="mcpbridge-")
    path = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(text)
        yield path
    finally:
        path.unlink()
