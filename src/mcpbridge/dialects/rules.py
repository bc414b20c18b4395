"""What each provider takes, as data; every rule names the page that says it.

A rule that no page gives, and that is kept out of caution, says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Provider: TypeAlias = Literal["openai", "openai-strict", "gemini", "anthropic"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Subset:
    """The part of JSON Schema that a provider takes.

    constraints       the keywords that bound a value, by its type
    formats           the formats, by type
    references        whether `$ref` to `$defs` is taken, recursion too
    all_required      whether every member has to be required, so that null stands for one that is left out
    null_keyword      whether null is allowed by `nullable` and not by a type
    text_values       whether enumerated values are text only
    levels            how deep objects may be nested, the arguments being the first level
    lists_are_levels  whether lists count as levels too
    members           how many members all objects together may have
    values            how many enumerated values there may be in all
    characters        how long names and enumerated values may be together
    """

    constraints: Mapping[str, frozenset[str]]
    formats: Mapping[str, frozenset[str]]
    references: bool
    all_required: bool
    null_keyword: bool
    text_values: bool
    levels: int
    lists_are_levels: bool
    members: int
    values: int
    characters: int

    @property
    def sizes(self) -> tuple[int, int, int]:
        """How many members, values and characters there may be in all."""
        return (self.members, self.values, self.characters)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What a provider takes.

    name         what a tool's name has to match, and its greatest length
    description  the greatest length of a tool's description, None where none is told
    member       what the names of members have to match: at the root, and with a subset at every level
    subset       None where any JSON Schema is taken below the root, which is always a plain object
    """

    name: re.Pattern[str]
    length: int = 64
    description: int | None = None
    member: re.Pattern[str] | None = None
    subset: Subset | None = None


OPENAI_FUNCTION = "https://github.com/openai/openai-openapi (FunctionObject.name)"
"""Names: letters, digits, underscores and dashes, at most 64."""
OPENAI_DESCRIPTION = "https://github.com/getsentry/sentry-mcp/issues/106"
"""`string_above_max_length`: a tool's description has at most 1024 characters."""
OPENAI_ROOT = "https://github.com/langchain-ai/langchainjs/issues/9804"
"""The root is an object without oneOf, anyOf, allOf, enum and not."""
OPENAI_ITEMS = "https://github.com/docker/mcp-gateway/pull/265"
"""Whatever may be a list says what its items are."""
OPENAI_STRICT = "https://developers.openai.com/api/docs/guides/structured-outputs"
"""The subset and its sizes, under "Supported schemas"; each definition counts its levels for itself."""
GEMINI_FUNCTION = "https://cloud.google.com/vertex-ai/docs/reference/rest/v1beta1/FunctionDeclaration"
"""Names start with a letter or an underscore, members too; parameters may be left out."""
GEMINI_SCHEMA = "https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/Schema"
"""The subset of OpenAPI 3.0: `nullable`, `anyOf` alone, no references, enumerated text."""
GEMINI_FORMATS = "https://reference.rnfirebase.io/_react-native-firebase/ai/SchemaInterface.html"
"""Of text only the formats `enum` and `date-time`."""
GEMINI_LEVELS = "https://github.com/google-gemini/gemini-cli/issues/5923"
"""Nesting is bounded; Google tells no figure, so four levels of objects and lists are kept, out of caution."""
ANTHROPIC_TOOL = "https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use"
"""Names match `^[a-zA-Z0-9_-]{1,64}$`; the schema is JSON Schema 2020-12 with an object at its root."""
ANTHROPIC_MEMBERS = "https://github.com/anthropics/claude-code/issues/79418"
"""The arguments' names match `^[a-zA-Z0-9_.-]{1,64}$`."""
ANTHROPIC_ROOT = "https://github.com/anthropics/claude-code/issues/40075"
"""No oneOf, allOf or anyOf at the root."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """How much of a subset is used for one tool: levels, references, and values of an enumeration."""

    levels: int
    references: bool
    values: int


_WORD = re.compile(r"[a-zA-Z0-9_-]+")
_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_RANGE = frozenset({"minimum", "maximum"})
_LIST = frozenset({"minItems", "maxItems"})

_STRICT = Subset(
    constraints={"string": frozenset({"pattern"}), "number": _NUMBERS, "integer": _NUMBERS, "array": _LIST},
    formats={
        "string": frozenset(
            {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"},
        )
    },
    references=True,
    all_required=True,
    null_keyword=False,
    text_values=False,
    levels=10,
    lists_are_levels=False,
    members=5000,
    values=1000,
    characters=120_000,
)

_GEMINI = Subset(
    constraints={
        "string": frozenset({"minLength", "maxLength", "pattern"}),
        "number": _RANGE,
        "integer": _RANGE,
        "array": _LIST,
    },
    formats={
        "string": frozenset({"date-time"}),
        "number": frozenset({"float", "double"}),
        "integer": frozenset({"int32", "int64"}),
    },
    references=False,
    all_required=False,
    null_keyword=True,
    text_values=True,
    levels=4,
    lists_are_levels=True,
    members=2000,  # these three are no rule of Google's: without references, definitions are written out where used
    values=2000,
    characters=120_000,
)

RULES: Mapping[Provider, Rules] = {
    "openai": Rules(name=_WORD, description=1024),
    "openai-strict": Rules(name=_WORD, description=1024, subset=_STRICT),
    "gemini": Rules(
        name=re.compile(r"[a-zA-Z_][a-zA-Z0-9_.-]*"),
        member=re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*"),
        subset=_GEMINI,
    ),
    "anthropic": Rules(name=_WORD, member=re.compile(r"[a-zA-Z0-9_.-]+")),
}
