"""What can go wrong with stored secrets. Messages name the place, never the content."""

from __future__ import annotations

from mcpbridge.errors import BridgeError
from mcpbridge.vault.envelope import Place


class SecretRefused(BridgeError):
    """A stored secret does not open at its place: it was moved, cut, changed, or is of another revision."""

    code = "secret_refused"

    def __init__(self, place: Place, why: str, *, step: str = "give the credential anew") -> None:
        super().__init__(f"the stored secret {place} is refused: {why}; {step}")
        self.place = place


class KeyUnavailable(BridgeError):
    """The holder of a key (a KMS, say) did not answer. The same may succeed later; nothing is ever stored in clear."""

    code = "key_unavailable"
