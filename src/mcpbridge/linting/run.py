"""`lint`: what the rules say of a set of tools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mcpbridge.linting.given import read_tools
from mcpbridge.linting.rule import Finding, Hit, NodeRule, Rule, SetRule, TextRule, ToolRule
from mcpbridge.linting.settings import LintSettings
from mcpbridge.linting.subject import Scanner, Subject
from mcpbridge.linting.table import CODES, RULES
from mcpbridge.tools import Json, Tool


def lint(
    tools: Iterable[Tool] | Iterable[Mapping[str, Json]], settings: LintSettings | None = None
) -> Sequence[Finding]:
    """What is wrong with the tools, alone and together: first of the whole set, then tool by tool in their order.

    A tool gets one finding of a rule, however many places it is about. Rules about pairs speak of the later tool.

    Raises: ConfigError for what is no list of tools, or settings that name a rule that there is not.
    """
    chosen = settings or LintSettings()
    chosen.check(CODES)
    rules = [rule for rule in RULES if chosen.runs(rule.code)]
    scanner = Scanner(
        [rule for rule in rules if isinstance(rule, NodeRule)], [rule for rule in rules if isinstance(rule, TextRule)]
    )
    subjects = [scanner.subject(tool) for tool in read_tools(tools)]
    found = _of_the_set(subjects, rules, chosen)
    findings = [_finding(rule, "", [hit]) for rule, hit in found.get(None, ())]
    for index, subject in enumerate(subjects):
        hits = _of_one(subject, rules, chosen)
        for rule, hit in found.get(index, ()):
            hits.setdefault(rule.code, []).append(hit)
        name = subject.tool.name
        findings += [
            _finding(rule, name, hits[rule.code])
            for rule in rules
            if hits.get(rule.code) and not chosen.silent(rule.code, name)
        ]
    return findings


def _of_one(subject: Subject, rules: Sequence[Rule], settings: LintSettings) -> dict[str, list[Hit]]:
    hits: dict[str, list[Hit]] = {}
    for code, hit in subject.hits:
        hits.setdefault(code, []).append(hit)
    for rule in rules:
        if isinstance(rule, ToolRule):
            hits.setdefault(rule.code, []).extend(rule.check(subject, settings.limits))
    return hits


def _of_the_set(
    subjects: Sequence[Subject], rules: Sequence[Rule], settings: LintSettings
) -> Mapping[int | None, Sequence[tuple[Rule, Hit]]]:
    """The hits of rules about the set, by the place of the tool in it; None for the set itself."""
    places = {id(subject): index for index, subject in enumerate(subjects)}
    found: dict[int | None, list[tuple[Rule, Hit]]] = {}
    for rule, subject, hit in _set_hits(subjects, rules, settings):
        found.setdefault(None if subject is None else places[id(subject)], []).append((rule, hit))
    return found


def _set_hits(
    subjects: Sequence[Subject], rules: Sequence[Rule], settings: LintSettings
) -> Iterator[tuple[Rule, Subject | None, Hit]]:
    for rule in rules:
        if isinstance(rule, SetRule):
            for subject, hit in rule.check(subjects, settings.limits):
                yield rule, subject, hit


def _finding(rule: Rule, tool: str, hits: Sequence[Hit]) -> Finding:
    first, *others = hits
    return Finding(
        code=rule.code,
        severity=rule.severity,
        tool=tool,
        pointer=first.pointer,
        message=first.message,
        fix=rule.fix,
        more=tuple(hit.pointer for hit in others),
    )
