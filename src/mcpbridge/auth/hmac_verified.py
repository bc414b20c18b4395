"""What came of verifying a webhook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mcpbridge.errors import BridgeError

Reason: TypeAlias = Literal["missing", "malformed", "stale", "mismatch"]


class SignatureRefused(BridgeError):
    """A webhook is not signed as it should be. `reason` is `missing`, `malformed`, `stale` or `mismatch`."""

    code = "signature_refused"

    def __init__(self, message: str, *, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """What a webhook's signature vouches for.

    `timestamp` is in seconds of the Unix epoch; `nonce` is the message's id, for a host that takes each message once;
    `key` counts the keys from the newest, 0: when no webhook needs an old one any more, it can go.
    """

    timestamp: float | None
    nonce: str | None
    key: int


def only(name: str, texts: Sequence[str]) -> str:
    """The text that a field has everywhere. Raises: SignatureRefused where there are two."""
    if len(set(texts)) > 1:
        raise SignatureRefused(f"the headers hold more than one {name}", reason="malformed")
    return texts[0]
