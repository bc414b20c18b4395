"""Where keys come from: `env:NAME`, `file:/path`, `keyring:service/user`."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from mcpbridge.errors import ConfigError
from mcpbridge.vault.keys import LocalKey, read_key

_LARGEST = 1024
"""Bytes of a key file that are read at all."""

_FORBIDDEN = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO
"""The owner may do anything and the group read, as mounted secrets of Kubernetes have it."""


def load_key(reference: str) -> LocalKey:
    """The key that a reference names.

    Raises: ConfigError for an unknown kind of reference, a missing variable, a file that others may read, no keyring.
    """
    kind, found, name = reference.partition(":")
    load = _LOADERS.get(kind)
    if load is None or not found or not name:
        raise ConfigError(
            f"the key reference {_kind_only(reference)!r} is none: write 'env:NAME', 'file:/path' or "
            "'keyring:service/user' (a key itself does not belong in a configuration)"
        )
    return load(name)


def _kind_only(reference: str) -> str:
    """What may be shown of a reference that is none: it may be a key that was put here by mistake."""
    kind, found, _ = reference.partition(":")
    return f"{kind[:16]}:…" if found else "…"


def _from_environment(name: str) -> LocalKey:
    text = os.environ.get(name, "")
    if not text:
        raise ConfigError(f"the environment variable {name!r} holds no key: set it to what Vault.new_key() gives")
    return read_key(text.strip(), where=f"the environment variable {name!r}")


def _from_file(name: str) -> LocalKey:
    path = Path(name)
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_LARGEST)
    except OSError as error:
        raise ConfigError(f"the key file {name!r} can't be read: {error.strerror}") from error
    if os.name == "posix" and mode & _FORBIDDEN:
        raise ConfigError(f"the key file {name!r} is open to others (mode {mode & 0o777:04o}): run chmod 600 on it")
    return read_key(data.decode("latin-1").strip(), where=f"the key file {name!r}")


def _from_keyring(name: str) -> LocalKey:
    try:
        import keyring  # noqa: PLC0415 - an optional extra
        from keyring.errors import KeyringError  # noqa: PLC0415 - as above
    except ImportError as error:
        raise ConfigError(f"'keyring:{name}' needs the extra: pip install 'mcpbridge[keyring]'") from error
    service, _, user = name.rpartition("/")
    try:
        text = keyring.get_password(service, user) if service and user else None
    except KeyringError as error:
        raise ConfigError(f"the OS keyring can't be asked for 'keyring:{name}': {type(error).__name__}") from error
    if not text:
        raise ConfigError(f"the OS keyring holds no 'keyring:{name}': store it with `keyring set {service} {user}`")
    return read_key(text.strip(), where=f"'keyring:{name}'")


_LOADERS: Mapping[str, Callable[[str], LocalKey]] = {
    "env": _from_environment,
    "file": _from_file,
    "keyring": _from_keyring,
}
