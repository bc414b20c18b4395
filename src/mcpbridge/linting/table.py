"""All rules, in the order of their codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mcpbridge.linting import answers, arguments, cost, descriptions, labels, names, poison, providers, validity
from mcpbridge.linting.rule import Rule

RULES: Sequence[Rule] = (
    *names.RULES,
    *descriptions.RULES,
    *validity.RULES,
    *arguments.RULES,
    *labels.RULES,
    *providers.RULES,
    *cost.RULES,
    *poison.RULES,
    *answers.RULES,
)

GROUPS: Mapping[str, str] = {
    "MB1": "Names",
    "MB2": "Descriptions",
    "MB3": "Arguments",
    "MB4": "Labels",
    "MB5": "Providers",
    "MB6": "Tokens",
    "MB7": "Poisoning",
    "MB8": "Answers",
}
"""What the first digit of a code means."""

CODES: Sequence[str] = tuple(rule.code for rule in RULES)
