"""`Secret`: text that never shows itself.

From the line that reads a credential to the line that sends it, it is a `Secret`. This is no encryption: the
text stays in memory as it is. Stored secrets are the vault's business.
"""

from __future__ import annotations

import hmac
from typing import NoReturn

MASK = "********"


class Secret:  # noqa: PLW1641 - not hashable on purpose
    """A credential whose `repr`, `str`, format and pickle never hold its text.

    Secrets compare in constant time, and are not hashable.

    Raises: ValueError for text that no HTTP header could carry back unchanged (CR, LF or NUL).
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if any(character in text for character in "\r\n\0"):
            raise ValueError("a secret must not hold CR, LF or NUL; strip the line end of the file it came from")
        self._text = text

    @classmethod
    def of(cls, value: str | Secret) -> Secret:
        """The value itself where it is a secret already."""
        return value if isinstance(value, Secret) else cls(value)

    def reveal(self) -> str:
        """The text, for the line that sends it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        one, two = (secret.reveal().encode("utf-8", "surrogatepass") for secret in (self, other))
        return hmac.compare_digest(one, two)

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is neither pickled nor copied: pass the object itself")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret is neither pickled nor copied: pass the object itself")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self
