"""Rules about descriptions of tools (MB2xx)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mcpbridge.linting.names import alike
from mcpbridge.linting.rule import Hit, Rule, SetRule, ToolRule, readable
from mcpbridge.linting.settings import LintLimits
from mcpbridge.linting.subject import Subject, words_of

_FILLERS = frozenset(words_of("a all an and api by for from in of on or that the this to with endpoint operation tool"))


def _missing(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    if not subject.tool.description.strip():
        yield Hit("/description", "there is no description")


def _too_long(subject: Subject, limits: LintLimits) -> Iterator[Hit]:
    if (length := len(subject.tool.description)) > limits.description_length:
        yield Hit("/description", f"the description has {length} characters, over {limits.description_length}")


def _no_sentence(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    text = subject.tool.description.strip()
    if text and text.isascii() and len(text.split()) < 3:  # not every script writes spaces between words
        yield Hit("/description", f"the description is only {readable(text, 60)!r}")


def _only_the_name(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    text = subject.tool.description.strip()
    if len(text.split()) >= 3 and {*words_of(text)} - _FILLERS <= {*_stems(subject.words)}:
        yield Hit("/description", f"{readable(text, 60)!r} says no more than the name")


def _stems(words: Sequence[str]) -> Iterator[str]:
    """The words with their usual endings: a name says `list_user`, its description `Lists users`."""
    for word in words:
        yield from (word, f"{word}s", f"{word}es", word.removesuffix("s"))


def _same_as_another(subjects: Sequence[Subject], _: LintLimits) -> Iterator[tuple[Subject, Hit]]:
    described = [subject for subject in subjects if subject.tool.description.strip()]
    for same in alike(described, lambda each: tuple(words_of(each.tool.description)) or each.tool.description):
        for subject in same[1:]:
            yield subject, Hit("/description", f"{readable(same[0].tool.name)!r} has the same description")


RULES: Sequence[Rule] = (
    ToolRule(
        code="MB201",
        severity="error",
        title="no description",
        why="a model has only the name to choose by",
        fix="say in one sentence what the tool does and when to take it",
        check=_missing,
    ),
    ToolRule(
        code="MB202",
        severity="warning",
        title="long description",
        why="it is read again in every turn, and what counts is lost in it",
        fix="keep what decides whether to take the tool; move the rest to a resource",
        check=_too_long,
    ),
    ToolRule(
        code="MB203",
        severity="info",
        title="description that is no sentence",
        why="one or two words tell no more than a name",
        fix="write a sentence: what it does, to what, and what comes back",
        check=_no_sentence,
    ),
    ToolRule(
        code="MB204",
        severity="info",
        title="description that repeats the name",
        why="it costs tokens and tells a model nothing new",
        fix="say what the name does not: when to take it, what comes back, what it changes",
        check=_only_the_name,
    ),
    SetRule(
        code="MB205",
        severity="warning",
        title="description that another tool has too",
        why="a model can't know which of the two to take",
        fix="say in each what sets it apart from the other",
        check=_same_as_another,
    ),
)
