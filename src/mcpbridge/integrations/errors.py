"""What the management of integrations may refuse. Every message names the field and the next step, and no secret."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mcpbridge.errors import BridgeError


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldProblem:
    """What is wrong with one field. `field` is its path with dots (`auth.token`, `windows.0.zone`)."""

    field: str
    message: str

    def line(self) -> str:
        """The problem in one line of text."""
        return f"{self.field}: {self.message}" if self.field else self.message


class InvalidRecord(BridgeError):
    """An integration can't be defined like this; nothing was written. `problems` lists every one that was found."""

    code = "invalid_record"

    def __init__(self, problems: Sequence[FieldProblem], *, name: str = "") -> None:
        self.problems = tuple(problems)
        of = f" {name!r}" if name else ""
        super().__init__(f"invalid integration{of}: " + "; ".join(problem.line() for problem in self.problems))


def taken(names: Iterable[str]) -> InvalidRecord:
    """For names that are taken; whose they are is not said."""
    return InvalidRecord(
        [FieldProblem(field="name", message=f"{name!r} is taken: choose another") for name in sorted(names)]
    )


class IntegrationNotFound(BridgeError):
    """No such integration, or none that this caller may know of: the words are the same."""

    code = "not_found"

    def __init__(self, key: str) -> None:
        super().__init__(f"unknown integration {key[:64]!r}: list the integrations to see which ones there are")
        self.key = key


class RevisionConflict(BridgeError):
    """Somebody else has changed the integration since it was read; nothing was written."""

    code = "revision_conflict"

    def __init__(self, name: str, expected: int) -> None:
        super().__init__(f"the integration {name!r} is no longer at revision {expected}: read it again, then change it")


class NotAllowed(BridgeError):
    """The host does not allow this caller to do this (as HTTP's 403)."""

    code = "not_allowed"


class NotEntitled(BridgeError):
    """The caller's plan does not have this feature (as HTTP's 403)."""

    code = "not_entitled"
