"""The values of the linter: a finding, and the four kinds of rules, by what they look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from mcpbridge.tools import Json

if TYPE_CHECKING:
    from mcpbridge.linting.settings import LintLimits
    from mcpbridge.linting.subject import Subject

Severity: TypeAlias = Literal["error", "warning", "info"]
"""`error`: refused or dangerous; `warning`: models will get it wrong; `info`: could be better."""

SEVERITIES: Sequence[Severity] = ("error", "warning", "info")

Node: TypeAlias = Mapping[str, Json]
"""A JSON Schema that is an object."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that a rule says of one tool, or of the whole set where `tool` is empty.

    `pointer` is a JSON pointer (RFC 6901) into the tool as MCP writes it; `more` holds the other places of the same
    tool where the rule says the same. `message` never holds invisible or control characters of a tool.
    """

    code: str
    severity: Severity
    tool: str
    pointer: str
    message: str
    fix: str
    more: Sequence[str] = ()

    def __str__(self) -> str:
        place = " ".join(part for part in (self.tool or "(all tools)", self.pointer) if part)
        others = f" (and {len(self.more)} more)" if self.more else ""
        return f"{self.severity} {self.code} {readable(place)}: {self.message}{others}; {self.fix}"

    def to_json(self) -> dict[str, Json]:
        """A JSON object with all members; `more` is a list of pointers."""
        return {
            "code": self.code,
            "severity": self.severity,
            "tool": self.tool,
            "pointer": self.pointer,
            "message": self.message,
            "fix": self.fix,
            "more": [*self.more],
        }


class Hit(NamedTuple):
    """Where in a tool, as a JSON pointer, and what is there."""

    pointer: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What all rules have. `code` is stable: its first digit is the group, and a code is never given to another rule.

    `why` is the reason and `fix` what to do, each a phrase; `source` is where a limit of somebody else is told.
    """

    code: str
    severity: Severity
    title: str
    why: str
    fix: str
    source: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolRule(Rule):
    """Looks at one tool."""

    check: Callable[[Subject, LintLimits], Iterable[Hit]]


@dataclass(frozen=True, kw_only=True, slots=True)
class SetRule(Rule):
    """Looks at all tools together; a hit without a subject is about the set."""

    check: Callable[[Sequence[Subject], LintLimits], Iterable[tuple[Subject | None, Hit]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeRule(Rule):
    """Looks at every schema inside a tool's input; gives what is wrong with it, else the empty text.

    `top` is whether it looks at the schema of all arguments too.
    """

    check: Callable[[Node], str]
    top: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class TextRule(Rule):
    """Looks at every text of a tool that a model reads; gives what is wrong with it, else the empty text."""

    check: Callable[[str], str]


def readable(text: str, length: int = 200) -> str:
    """The text with whatever a person would not see written as an escape, of a bounded length."""
    if not text.isprintable() or not text.isascii():
        text = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text[: length + 1])
    return text if len(text) <= length else f"{text[:length]}…"
