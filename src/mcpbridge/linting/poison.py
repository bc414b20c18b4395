"""Rules about marks of poisoned tools (MB7xx): what a person does not see, and words meant to steer the model.

A text that a model reads is an instruction to it. These rules find the known ways to abuse that; that none of them
fires is no proof of innocence. Whatever a rule found is told by its code points, never shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mcpbridge.linting.rule import Hit, Rule, SetRule, TextRule, readable
from mcpbridge.linting.settings import LintLimits
from mcpbridge.linting.subject import Subject

_OWASP = "https://owasp.org/www-project-mcp-top-10/"
_INVARIANT = "https://invariantlabs.ai/blog/mcp-security-notification-tool-poisoning-attacks"

_INVISIBLE = re.compile(
    "[\\xad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200d\\u2060-\\u2065\\u206a-\\u206f\\u3164"
    "\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\U0001d173-\\U0001d17a\\U000e0080-\\U000e0fff]"
)
_JOINED = re.compile(
    "(?<=[^\\x00-\\u02ff\\u200b-\\u200f\\ufe00-\\ufe0f\\U000e0000-\\U000e0fff])(?:\\ufe0f?\\u200d|\\u200c|\\ufe0e|\\ufe0f)"
    "|(?<=[0-9#*\\xa9\\xae])\\ufe0f"
)
"""Where such characters belong: inside emoji, and between letters of scripts that join them."""

_BIDI = re.compile("[\\u202a-\\u202e\\u2066-\\u2069]")
_BIDI_MARK = re.compile("[\\u061c\\u200e\\u200f]")
_RIGHT_TO_LEFT = re.compile("[\\u0590-\\u08ff\\ufb1d-\\ufdff\\ufe70-\\ufefc]")
_TAG = re.compile("[\\U000e0000-\\U000e007f]")
_FLAG = re.compile("\\U0001f3f4[\\U000e0020-\\U000e007e]{2,6}\\U000e007f")
_CONTROL = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\ud800-\\udfff]")

_INSTRUCTION = re.compile(
    r"<\s{0,3}/?\s{0,3}(?:important|instructions?|critical|system(?:[ _-]?(?:prompt|message|reminder|instructions?))?)"
    r"(?:\s[^<>]{0,80})?/?>"
    r"|<\|\s*(?:im_start|im_end|system|assistant|endoftext)\s*\|>|\[/?(?:INST|SYSTEM)\]|<!--"
    r"|\b(?:ignore|disregard|forget|override|bypass)\s+(?:all\s+|any\s+|the\s+|your\s+|my\s+|these\s+|those\s+|of\s+)*"
    r"(?:previous|prior|above|earlier|preceding|system|existing|original)\s+"
    r"(?:instructions?|prompts?|rules|messages?|directions|guidelines|context)"
    r"|\b(?:do\s+not|don'?t|never|must\s+not|without|avoid)\s+(?:ever\s+)?"
    r"(?:tell|inform|mention|reveal|notify|disclose|alert|warn|ask)(?:ing)?\s+"
    r"(?:(?:this|it|that|about\s+this|anything)\s+)?(?:to\s+)?the\s+(?:user|human)\b"
    r"|\bthe\s+(?:model|assistant|agent|llm|ai)\s+(?:must|should|shall|has\s+to)\s+(?:always|never|first|secretly)\b"
    r"|\byou\s+(?:must|should|shall|have\s+to)\s+(?:always\s+|first\s+|secretly\s+)+"
    r"(?:call|use|invoke|run|execute|read|open|send|forward|copy|pass)\b"
    r"|\b(?:before|prior\s+to)\s+(?:using|calling|invoking|running)\s+(?:this|any\s+other|any)\s+tools?\b",
    re.IGNORECASE,
)
_TREASURE = re.compile(
    r"~/\.(?:ssh|aws|cursor|gnupg|kube|claude|config/gcloud|netrc|npmrc|pypirc)\b|\bid_(?:rsa|ed25519|ecdsa)\b"
    r"|/etc/(?:passwd|shadow)\b|\b(?:mcp|claude_desktop_config)\.json\b"
    r"|\b(?:your|the\s+(?:model|assistant|agent|llm|ai)'?s|entire|full|whole|complete|verbatim)\s+"
    r"(?:system\s+prompt|conversation(?:\s+history)?|chat\s+history|chain\s+of\s+thought|list\s+of\s+tools)\b",
    re.IGNORECASE,
)
_STEERS = re.compile(
    r"\b(?:before|after|instead\s+of|rather\s+than|when(?:ever)?|while|replaces?|overrides?|never|do\s+not|don'?t|always|"
    r"must|every\s+time)\b[^.!?\n]{0,40}\Z",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"\b[A-Za-z][A-Za-z0-9]*(?:[_-]+[A-Za-z0-9]+)+|\b[a-z]+[0-9]*(?:[A-Z][a-z0-9]+)+")
"""A word that can only be a name: `send_email`, `sendEmail`."""


def _invisible(text: str) -> str:
    if text.isascii():
        return ""
    return _points(_INVISIBLE.findall(_JOINED.sub("", text)), "characters that nobody sees")


def _bidirectional(text: str) -> str:
    if text.isascii():
        return ""
    found = _BIDI.findall(text)
    if not _RIGHT_TO_LEFT.search(text):
        found += _BIDI_MARK.findall(text)
    return _points(found, "characters that turn the direction of text")


def _tags(text: str) -> str:
    return "" if text.isascii() else _points(_TAG.findall(_FLAG.sub("", text)), "tag characters")


def _control(text: str) -> str:
    return "" if text.isprintable() else _points(_CONTROL.findall(text), "control characters")


def _points(found: Sequence[str], what: str) -> str:
    few = ", ".join(f"U+{ord(each):04X}" for each in dict.fromkeys(found[:100]))
    return f"{len(found)} {what} ({few[:60]})" if found else ""


def _instructs(text: str) -> str:
    found = _INSTRUCTION.search(text) if len(text) >= 4 else None
    return f"the words {readable(' '.join(found[0].split()), 60)!r}" if found else ""


def _wants_secrets(text: str) -> str:
    found = _TREASURE.search(text) if len(text) >= 6 else None
    return f"the words {readable(' '.join(found[0].split()), 60)!r}" if found else ""


def _of_others(subjects: Sequence[Subject], _: LintLimits) -> Iterator[tuple[Subject, Hit]]:
    """Sentences that say when or how to use another tool of the set, or that name one of another integration."""
    homes = {subject.tool.name: subject.tool.origin.slug for subject in subjects}
    for subject in subjects:
        text = subject.tool.description
        for found in _IDENTIFIER.finditer(text):
            other = found[0]
            if other == subject.tool.name or other not in homes:
                continue
            if homes[other] != subject.tool.origin.slug:
                yield subject, Hit("/description", f"{other!r} of another integration is named")
                break
            if _STEERS.search(text[max(0, found.start() - 60) : found.start()]):
                yield subject, Hit("/description", f"it says when to use {other!r}, or not to")
                break


RULES: Sequence[Rule] = (
    TextRule(
        code="MB701",
        severity="error",
        title="invisible characters",
        why="a model reads them, a person who approves the tool does not",
        fix="take them out, and ask who put them there",
        source=_OWASP,
        check=_invisible,
    ),
    TextRule(
        code="MB702",
        severity="error",
        title="characters that turn the direction of text",
        why="a person sees another text than the model reads",
        fix="take them out",
        source=_OWASP,
        check=_bidirectional,
    ),
    TextRule(
        code="MB703",
        severity="error",
        title="tag characters",
        why="U+E0000 to U+E007F spell ASCII that no screen shows: a way to hide instructions",
        fix="do not use this tool before you know what they spell",
        source=_OWASP,
        check=_tags,
    ),
    TextRule(
        code="MB704",
        severity="error",
        title="control characters",
        why="terminal escapes hide or rewrite what a person sees",
        fix="take them out",
        source=_OWASP,
        check=_control,
    ),
    TextRule(
        code="MB705",
        severity="error",
        title="instructions to the model",
        why="a tool's text says what the tool does; one that commands the model is the mark of a poisoned tool",
        fix="say what the tool does, and nothing to the model; do not trust a server that says more",
        source=_INVARIANT,
        check=_instructs,
    ),
    SetRule(
        code="MB706",
        severity="warning",
        title="text about another tool",
        why="a poisoned tool changes how a trusted one is used (tool shadowing)",
        fix="describe each tool by itself",
        source=_INVARIANT,
        check=_of_others,
    ),
    TextRule(
        code="MB707",
        severity="warning",
        title="text that asks for secrets",
        why="keys, system prompts and conversations are what poisoned tools are after",
        fix="ask only for what the call needs",
        source=_INVARIANT,
        check=_wants_secrets,
    ),
)
