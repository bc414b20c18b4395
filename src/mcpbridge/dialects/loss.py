"""What a dialect could not say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

LossCode: TypeAlias = Literal[
    "text", "constraint", "one_of", "values", "null", "members", "root", "invalid", "description"
]
"""`text`: given as JSON text. `constraint`: told in the description at most. `one_of`: more than one may fit.
`values`: some enumerated values can't be given. `null`: a null means that the member is left out. `members`: members
beyond those that are named can't be given. `root`: alternatives of the whole are merged. `invalid`: was no JSON Schema.
`description`: cut.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """One thing that a provider's definition does not say as the tool does.

    `pointer` is a JSON pointer (RFC 6901) into the tool's own `input_schema`; empty for the whole.
    """

    pointer: str
    code: LossCode
    message: str


class Losses:
    """Losses as they are found, each place and code once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, LossCode], Loss] = {}

    def add(self, pointer: str, code: LossCode, message: str) -> None:
        """Remembers a loss."""
        self._found.setdefault((pointer, code), Loss(pointer=pointer, code=code, message=message))

    def all(self) -> tuple[Loss, ...]:
        """Every loss, in the order in which they were found."""
        return tuple(self._found.values())
