"""Keys and certificates in PEM (RFC 7468) as secrets: on one line while they are kept, on several where they are read.

A `Secret` holds one line, so that no credential breaks a header; a store and an environment variable like one line too.
"""

from __future__ import annotations

import re

from mcpbridge.auth.static import as_secret
from mcpbridge.errors import ConfigError
from mcpbridge.secret import Secret

_BEGIN = "-----BEGIN "
_BLOCK = re.compile(r"(-----BEGIN [A-Z0-9 ]+-----)([^-]*)(-----END [A-Z0-9 ]+-----)")


def pem_line(text: str) -> str:
    r"""The text with the two characters `\n` for each line end; what is on one line stays as it is."""
    return "\\n".join(line.strip() for line in text.strip().splitlines())


def kept_pem(what: str, value: str | Secret) -> Secret:
    """A PEM text as a secret. Raises: ConfigError for what is none, without showing it."""
    secret = as_secret(what, pem_line(value) if isinstance(value, str) else value)
    if _BEGIN not in secret.reveal():
        raise ConfigError(f"{what} must be PEM: the text from -----BEGIN … to -----END …, not the path of its file")
    return secret


def pem_bytes(secret: Secret) -> bytes:
    """The PEM with its lines, for whoever reads it; blanks stand for line ends where there are no others."""
    text = secret.reveal()
    lines = text.replace("\\n", "\n") if "\\n" in text else _BLOCK.sub(_apart, text)
    return f"{lines}\n".encode()


def _apart(block: re.Match[str]) -> str:
    return "\n".join((block[1], *block[2].split(), block[3], ""))
