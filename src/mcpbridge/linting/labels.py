"""Rules about MCP's annotations that contradict each other, or the tool (MB4xx)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mcpbridge.linting.rule import Hit, Rule, ToolRule
from mcpbridge.linting.settings import LintLimits
from mcpbridge.linting.subject import Subject, words_of
from mcpbridge.openapi.jsontext import is_object

_SPEC = "https://modelcontextprotocol.io/specification/2025-11-25/schema#toolannotations"
_HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
_DESTROYS = frozenset(words_of("delete destroy drop erase purge remove uninstall wipe"))
_WRITES = _DESTROYS | frozenset(
    words_of(
        "add append archive cancel create edit insert modify overwrite patch publish rename replace revoke send update "
        "upload upsert write"
    )
)
_READS = frozenset(words_of("describe fetch find get list lookup read retrieve search show view"))


def _both(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    if subject.labels.get("readOnlyHint") is True and subject.labels.get("destructiveHint") is True:
        yield Hit("/annotations/destructiveHint", "the tool says that it only reads, and that it destroys")


def _says_read_but_writes(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    if subject.reads and (verb := _verb(subject, _WRITES)):
        yield Hit("/annotations/readOnlyHint", f"the tool says that it only reads, its name says {verb!r}")


def _says_harmless_but_destroys(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    if subject.labels.get("destructiveHint") is False and not subject.reads and (verb := _verb(subject, _DESTROYS)):
        yield Hit("/annotations/destructiveHint", f"the tool says that it destroys nothing, its name says {verb!r}")


def _verb(subject: Subject, verbs: frozenset[str]) -> str:
    """The verb out of these that the name begins or ends with: `delete_user`, `users_delete`; empty where none is."""
    words = subject.words
    ends = (words[0], words[-1]) if words else ()
    return "" if _READS & {*words} else next((word for word in ends if word in verbs), "")


def _two_minds(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    if subject.tool.access == "read" and subject.labels.get("readOnlyHint") is False:
        yield Hit("/annotations/readOnlyHint", "the tool runs as one that reads, its label says that it writes")


def _says_write_but_reads(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    if subject.labels.get("destructiveHint") is True and subject.words and subject.words[0] in _READS:
        yield Hit("/annotations/destructiveHint", f"the tool says that it destroys, its name {subject.words[0]!r}")


def _no_flag(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    annotations: object = subject.tool.extra.get("annotations")
    if annotations is not None and not is_object(annotations):
        yield Hit("/annotations", "the annotations are no object")
    for hint in _HINTS:
        if not isinstance(subject.labels.get(hint, True), bool):
            yield Hit(f"/annotations/{hint}", f"{hint} is neither true nor false")


RULES: Sequence[Rule] = (
    ToolRule(
        code="MB401",
        severity="error",
        title="reads and destroys",
        why="whoever asks before a write believes one of the two",
        fix="say readOnlyHint only where nothing changes",
        source=_SPEC,
        check=_both,
    ),
    ToolRule(
        code="MB402",
        severity="warning",
        title="says that it reads, named as a write",
        why="a read runs without asking anybody",
        fix="take readOnlyHint away, or name it by what it reads",
        source=_SPEC,
        check=_says_read_but_writes,
    ),
    ToolRule(
        code="MB403",
        severity="warning",
        title="says that it destroys nothing, named as if it did",
        why="clients ask less before such a tool",
        fix="set destructiveHint to true",
        source=_SPEC,
        check=_says_harmless_but_destroys,
    ),
    ToolRule(
        code="MB404",
        severity="error",
        title="runs as a read, labelled as a write",
        why="the gateway does not ask where the client expects that it does",
        fix="set the access, or the label",
        check=_two_minds,
    ),
    ToolRule(
        code="MB405",
        severity="info",
        title="says that it destroys, named as a read",
        why="people are asked for nothing, and stop reading what they are asked",
        fix="label it readOnlyHint if nothing changes, else name what it changes",
        source=_SPEC,
        check=_says_write_but_reads,
    ),
    ToolRule(
        code="MB406",
        severity="warning",
        title="label that is no label",
        why="clients drop the tool, or believe the default instead",
        fix="write true or false",
        source=_SPEC,
        check=_no_flag,
    ),
)
