"""Rules about names (MB1xx)."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

from mcpbridge.linting.rule import Hit, Rule, SetRule, ToolRule, readable
from mcpbridge.linting.settings import LintLimits
from mcpbridge.linting.subject import Subject, words_of

_MCP = re.compile(r"[A-Za-z0-9_.-]{1,128}\Z")
_DIGEST = re.compile(r"(?=.*[0-9])[0-9a-f]{8,}\Z")
_SAYS_NOTHING = frozenset(
    words_of(
        "api call data do endpoint execute exec fn func function get handle handler invoke item list method my "
        "new object op operation perform process query request rest route run test thing tmp tool v"
    )
)
_SAME_VERB = {
    **dict.fromkeys(("fetch", "retrieve", "read", "show", "view"), "get"),
    **dict.fromkeys(("remove", "destroy", "erase"), "delete"),
    **dict.fromkeys(("edit", "modify", "change"), "update"),
    **dict.fromkeys(("find", "lookup"), "search"),
    **dict.fromkeys(("insert", "make"), "create"),
}


def _not_allowed(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    if not _MCP.match(subject.tool.name):
        yield Hit("/name", f"the name is {readable(repr(subject.tool.name), 80)}")


def _taken(subjects: Sequence[Subject], _: LintLimits) -> Iterator[tuple[Subject, Hit]]:
    for same in alike(subjects, lambda each: each.tool.name):
        for subject in same[1:]:
            yield subject, Hit("/name", f"{len(same)} tools have this name")


def _same_but_for_writing(subjects: Sequence[Subject], _: LintLimits) -> Iterator[tuple[Subject, Hit]]:
    for same in alike(subjects, lambda each: "".join(each.words) or each.tool.name):
        for subject, other in _others(same):
            yield subject, Hit("/name", f"only case or separators set it apart from {readable(other.tool.name)!r}")


def _same_meaning(subjects: Sequence[Subject], _: LintLimits) -> Iterator[tuple[Subject, Hit]]:
    for same in alike(subjects, lambda each: tuple(_SAME_VERB.get(word, word) for word in each.words)):
        for subject, other in _others(same):
            if subject.words != other.words:
                yield subject, Hit("/name", f"it means the same as {readable(other.tool.name)!r}")


def _says_nothing(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    if all(word in _SAYS_NOTHING or word.isdigit() for word in _without_digest(subject)):
        yield Hit("/name", f"no word of {readable(subject.tool.name, 80)!r} says what it is about")


def _without_digest(subject: Subject) -> Sequence[str]:
    parts = re.split(r"[_.-]", subject.tool.name)
    return subject.words if not _DIGEST.match(parts[-1]) else [word for part in parts[:-1] for word in part.split()]


def _too_long(subject: Subject, limits: LintLimits) -> Iterator[Hit]:
    if (length := len(subject.tool.name)) > limits.name_length:
        yield Hit("/name", f"the name has {length} characters, over {limits.name_length}")


def alike(subjects: Iterable[Subject], key: Callable[[Subject], Hashable]) -> list[list[Subject]]:
    """The groups of two or more that share a key, in the order of the set."""
    groups: dict[Hashable, list[Subject]] = {}
    for subject in subjects:
        groups.setdefault(key(subject), []).append(subject)
    return [group for group in groups.values() if len(group) > 1]


def _others(same: Sequence[Subject]) -> Iterator[tuple[Subject, Subject]]:
    """Each of a group after the first, with the first; names that are equal are another rule's."""
    for subject in same[1:]:
        if subject.tool.name != same[0].tool.name:
            yield subject, same[0]


RULES: Sequence[Rule] = (
    ToolRule(
        code="MB101",
        severity="error",
        title="name that MCP does not allow",
        why="MCP names have 1 to 128 characters out of A-Z, a-z, 0-9, `_`, `-` and `.`; clients drop or refuse others",
        fix="rename the tool with letters, digits, '_' and '-'",
        source="https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool-names",
        check=_not_allowed,
    ),
    SetRule(
        code="MB102",
        severity="error",
        title="name that another tool has",
        why="only one of the two can be called, and providers refuse the whole list",
        fix="rename one, or put the sources behind a Router, which prefixes them",
        check=_taken,
    ),
    SetRule(
        code="MB103",
        severity="warning",
        title="name that differs only in case or separators",
        why="a model mixes them up, and a person approves the wrong one",
        fix="rename one by what sets it apart",
        check=_same_but_for_writing,
    ),
    ToolRule(
        code="MB104",
        severity="info",
        title="name that says nothing",
        why="a model chooses by the name first",
        fix="name what it does to what, such as 'list_orders'",
        check=_says_nothing,
    ),
    ToolRule(
        code="MB105",
        severity="info",
        title="long name",
        why="clients put a prefix such as `mcp__SERVER__` before it, and 64 characters are all that providers take",
        fix="shorten it, or raise name-length if your clients add no prefix",
        check=_too_long,
    ),
    SetRule(
        code="MB106",
        severity="warning",
        title="name that means the same as another",
        why="`get_user` beside `fetch_user`: a model can't know which one to take",
        fix="say in the names what sets them apart, or drop one",
        check=_same_meaning,
    ),
)
