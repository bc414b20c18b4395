"""Every error that mcpbridge raises, and the one value that carries a failure between layers.

The class says whose fault it is::

    BridgeError
    ├── ConfigError         ours, at build time: a constructor or a file got something that cannot work
    ├── DescriptionError    the API description cannot be read
    ├── InvalidArguments    the caller's: the call does not fit the tool
    ├── ToolNotFound        the caller's: no such item, or none that this caller may know of
    │   └── SourceDisabled  somebody switched off what the item belongs to; only those who may know are told
    ├── UpstreamError       the other side's: raised by the conveniences for hosts without MCP
    ├── AuthRequired        a person has to log in first
    └── ApprovalRequired    a person has to say yes first

Inside the gateway a call never raises for what an upstream does: it answers with a `Failure`.
This module imports nothing of the library and nothing heavy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias, cast

Sent: TypeAlias = Literal["yes", "no", "unknown"]
"""Whether a request left: `no` may be repeated, `yes` was answered, `unknown` was lost after it left."""


class BridgeError(Exception):
    """The base of all errors.

    `code` is stable and made for programs; the message is one line made for people.
    """

    code: ClassVar[str] = "error"


class ConfigError(BridgeError):
    """Something that the host wrote cannot work; raised when it is built, never during a call."""

    code = "config"


class DescriptionError(BridgeError):
    """A description cannot be read at all.

    `pointer` is a JSON pointer (RFC 6901) into it and `line` counts from 1; both are None when unknown.
    """

    code = "description"

    def __init__(self, message: str, *, pointer: str | None = None, line: int | None = None) -> None:
        place = ", ".join(
            part for part in (f"at {pointer!r}" if pointer else "", f"line {line}" if line else "") if part
        )
        super().__init__(f"{message} ({place})" if place else message)
        self.pointer = pointer
        self.line = line


@dataclass(frozen=True, kw_only=True, slots=True)
class ArgumentProblem:
    """One thing that is wrong with the arguments of a call.

    `path` is a JSON pointer into the arguments (empty for the whole), `got` a short rendering of the value's
    type or length, never a secret's text. `allowed` holds the legal values where there are few.
    """

    path: str
    expected: str
    got: str
    allowed: Sequence[Any] = ()
    example: Any = None

    def line(self) -> str:
        """The problem in one line of text."""
        text = f"{self.path or 'arguments'}: expected {self.expected}, got {self.got}"
        if self.allowed:
            text += f"; allowed: {', '.join(map(repr, self.allowed))}"
        if self.example is not None:
            text += f"; for example {self.example!r}"
        return text

    def to_json(self) -> dict[str, Any]:
        """A JSON object for the structured error."""
        shown: dict[str, Any] = {"path": self.path, "expected": self.expected, "got": self.got}
        if self.allowed:
            shown["allowed"] = [*self.allowed]
        if self.example is not None:
            shown["example"] = self.example
        return shown


class InvalidArguments(BridgeError):
    """The arguments do not fit; nothing was sent. `problems` lists every one that was found."""

    code = "invalid_arguments"

    def __init__(self, problems: Sequence[ArgumentProblem], *, tool: str = "") -> None:
        self.problems = tuple(problems)
        self.tool = tool
        where = f" of {tool!r}" if tool else ""
        super().__init__(f"invalid arguments{where}: " + "; ".join(problem.line() for problem in self.problems))


class ToolNotFound(BridgeError):
    """No such tool (or resource, or prompt); what is hidden from the caller gets the same words."""

    code = "not_found"

    def __init__(self, key: str, kind: str = "tool") -> None:
        super().__init__(f"unknown {kind} {key!r}: list the {kind}s to see which ones there are")
        self.key = key
        self.kind = kind

    def under(self, key: str, kind: str) -> ToolNotFound:
        """The same error for the key under which the caller knows the item."""
        return ToolNotFound(key, kind)


class SourceDisabled(ToolNotFound):
    """What the item belongs to is disabled; `reason` is what was said when that was done. Nothing was sent."""

    code = "disabled"

    def __init__(self, key: str, kind: str = "tool", *, reason: str = "") -> None:
        super().__init__(key, kind)
        said = f" ({reason})" if reason else ""
        self.args = (f"{kind} {key!r} can't be used: its integration is disabled{said}; ask who manages it",)
        self.reason = reason

    def under(self, key: str, kind: str) -> SourceDisabled:
        """The same error for the key under which the caller knows the item."""
        return SourceDisabled(key, kind, reason=self.reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a call gave no answer: the one shape of an error everywhere in mcpbridge.

    code        stable, snake_case: `unreachable`, `timeout`, `upstream_status`, `approval_required` …
    message     one line: what happened, and where
    hint        what to do next
    retryable   whether the same call may succeed later without anything being changed
    retry_after seconds, as the upstream asked
    status      the upstream's HTTP status
    sent        whether the request left (see `Sent`)
    id          correlation id of the call, also in the logs
    details     JSON: problem+json members (RFC 9457), a body excerpt, argument problems, an approval's id …
    """

    code: str
    message: str
    hint: str = ""
    retryable: bool = False
    retry_after: float | None = None
    status: int | None = None
    sent: Sent = "no"
    id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def to_json(self) -> dict[str, Any]:
        """A JSON object with the members that are set; `Failure.from_json` reads it back."""
        shown: dict[str, Any] = {"code": self.code, "message": self.message, "retryable": self.retryable}
        optional = {
            "hint": self.hint,
            "retryAfter": self.retry_after,
            "status": self.status,
            "id": self.id,
            "details": dict(self.details),
        }
        shown.update({name: value for name, value in optional.items() if value not in (None, "", {})})
        shown["sent"] = self.sent
        return shown

    @classmethod
    def from_json(cls, shown: Mapping[str, Any]) -> Failure:
        """The failure that `to_json` wrote. Members that are unknown, missing or of another type are passed over."""
        sent, details = shown.get("sent"), shown.get("details")
        return cls(
            code=_text(shown.get("code")) or "error",
            message=_text(shown.get("message")),
            hint=_text(shown.get("hint")),
            retryable=shown.get("retryable") is True,
            retry_after=_finite(shown.get("retryAfter")),
            status=shown["status"] if type(shown.get("status")) is int else None,
            sent=sent if sent == "yes" or sent == "no" else "unknown",
            id=_text(shown.get("id")),
            details=cast("Mapping[str, Any]", details) if isinstance(details, Mapping) else {},
        )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


class UpstreamError(BridgeError):
    """The other side failed. `failure` says how."""

    code = "upstream"

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class AuthRequired(BridgeError):
    """The caller has to log in at `url` before the call can be made; `scopes` are those that it lacks, where known."""

    code = "auth_required"

    def __init__(self, message: str, *, url: str | None = None, scopes: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.url = url
        self.scopes = tuple(scopes)


class ApprovalRequired(BridgeError):
    """A person has to approve the call; `id` names the request that waits."""

    code = "approval_required"

    def __init__(self, message: str, *, id: str) -> None:
        super().__init__(message)
        self.id = id
