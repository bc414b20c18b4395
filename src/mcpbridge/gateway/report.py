"""What a check of an integration found, step by step. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mcpbridge.errors import Failure
from mcpbridge.tools import Json

Outcome: TypeAlias = Literal["passed", "warning", "failed", "skipped"]
StepName: TypeAlias = Literal["address", "tls", "auth", "listing", "lint", "exposure", "probe"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step: what came of it, why, what to do about it, and how many seconds it took."""

    name: StepName
    outcome: Outcome
    message: str = ""
    hint: str = ""
    code: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Json]:
        """The members that say something."""
        told = {"message": self.message, "hint": self.hint, "code": self.code}
        shown: dict[str, Json] = {"step": self.name, "outcome": self.outcome, "seconds": round(self.seconds, 4)}
        return shown | {name: text for name, text in told.items() if text}


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All the steps of one integration."""

    name: str
    steps: Sequence[Step]

    @property
    def ok(self) -> bool:
        """Whether no step failed."""
        return all(step.outcome != "failed" for step in self.steps)

    def step(self, name: StepName) -> Step:
        """The step of this name."""
        return next(step for step in self.steps if step.name == name)

    def to_json(self) -> Mapping[str, Json]:
        """The report as JSON."""
        return {"integration": self.name, "ok": self.ok, "steps": [step.to_json() for step in self.steps]}


def failed_step(name: StepName, failure: Failure) -> Step:
    """The step that a failure ended."""
    return Step(name=name, outcome="failed", message=failure.message, hint=failure.hint, code=failure.code)
