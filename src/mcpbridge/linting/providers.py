"""Rules about what model providers refuse (MB5xx): the tool as it stands, sent without translation.

Each rule names where its limit is told: the provider's documentation, or the provider's own error message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mcpbridge.linting.rule import Hit, Node, NodeRule, Rule, SetRule, ToolRule, readable
from mcpbridge.linting.schemas import is_node, types_of
from mcpbridge.linting.settings import LintLimits
from mcpbridge.linting.subject import Subject, step
from mcpbridge.openapi.jsontext import is_list

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
_ARGUMENT = re.compile(r"[a-zA-Z0-9_.-]{1,64}\Z")
_GEMINI_NAME = re.compile(r"[a-zA-Z_]")
_TOP = ("oneOf", "anyOf", "allOf", "enum", "const", "not")
_GEMINI_UNKNOWN = ("const", "not", "if", "patternProperties", "dependentSchemas", "contains", "propertyNames")
_STRICT_UNKNOWN = ("allOf", "not", "dependentRequired", "dependentSchemas", "if", "oneOf", "patternProperties")
_DESCRIPTION = 1_024
_TOOLS = 128
_STRICT_PROPERTIES, _STRICT_VALUES, _STRICT_NAMES = 5_000, 1_000, 120_000


def _name(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    if not _NAME.match(subject.tool.name):
        yield Hit("/name", f"the name is {readable(repr(subject.tool.name), 80)}")


def _gemini_name(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    if not _GEMINI_NAME.match(subject.tool.name):
        yield Hit("/name", f"the name begins with {readable(subject.tool.name[:1])!r}")


def _argument_name(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    for name in subject.arguments:
        if not _ARGUMENT.match(name):
            yield Hit(f"/inputSchema/properties{step(name)}", f"an argument is called {readable(repr(name), 80)}")


def _combined(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    for keyword in _TOP:
        if keyword in subject.schema:
            yield Hit(f"/inputSchema/{keyword}", f"{keyword} stands at the top of the schema")


def _no_items(node: Node) -> str:
    return "a list without items" if "array" in types_of(node) and "items" not in node else ""


def _openai_description(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    if (length := len(subject.tool.description)) > _DESCRIPTION:
        yield Hit("/description", f"the description has {length} characters")


def _openai_tools(subjects: Sequence[Subject], _: LintLimits) -> Iterator[tuple[None, Hit]]:
    if len(subjects) > _TOOLS:
        yield None, Hit("", f"there are {len(subjects):,} tools, and OpenAI takes {_TOOLS}")


def _gemini_enum(node: Node) -> str:
    values = node.get("enum")
    if is_list(values) and any(not isinstance(each, str) for each in values if each is not None):
        return "an enum holds values that are no text"
    return ""


def _gemini_keyword(node: Node) -> str:
    found = [keyword for keyword in _GEMINI_UNKNOWN if keyword in node]
    return f"{', '.join(found)} is used" if found else ""


def _strict_keyword(node: Node) -> str:
    found = [keyword for keyword in _STRICT_UNKNOWN if keyword in node]
    return f"{', '.join(found)} is used" if found else ""


def _strict_open(node: Node) -> str:
    free = node.get("additionalProperties", True)
    if "object" not in types_of(node) or "allOf" in node or free is False:
        return ""
    return "an object of any members" if not node.get("properties") or is_node(free) else ""


def _strict_size(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    counts = (
        (sum(part.properties for _, part in subject.parts), _STRICT_PROPERTIES, "properties"),
        (sum(part.values for _, part in subject.parts), _STRICT_VALUES, "values of enums"),
        (sum(part.names for _, part in subject.parts), _STRICT_NAMES, "characters of names and values"),
    )
    for count, most, what in counts:
        if count > most:
            yield Hit("/inputSchema", f"there are {count} {what}, over {most}")


_OPENAI_TOP = "https://github.com/langchain-ai/langchainjs/issues/9804"
_STRICT = "https://platform.openai.com/docs/guides/structured-outputs#supported-schemas"
_GEMINI = "https://ai.google.dev/api/caching#Schema"

RULES: Sequence[Rule] = (
    ToolRule(
        code="MB501",
        severity="error",
        title="name that OpenAI and Anthropic refuse",
        why="both take 1 to 64 characters out of a-z, A-Z, 0-9, `_` and `-`, and refuse the request with all its tools",
        fix="rename it, for example with Edit",
        source="https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools",
        check=_name,
    ),
    ToolRule(
        code="MB502",
        severity="warning",
        title="name that Gemini refuses",
        why="a function's name must begin with a letter or an underscore",
        fix="put a word before it",
        source="https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1beta1/FunctionDeclaration",
        check=_gemini_name,
    ),
    ToolRule(
        code="MB503",
        severity="error",
        title="argument name that Anthropic refuses",
        why="argument names must match `^[a-zA-Z0-9_.-]{1,64}$`, else the request is refused with all its tools",
        fix="rename the argument",
        source="https://github.com/beautyfree/appstore-connect-mcp/issues/2",
        check=_argument_name,
    ),
    ToolRule(
        code="MB504",
        severity="error",
        title="combination at the top of the schema",
        why="OpenAI and Anthropic refuse `oneOf`, `anyOf` and `allOf` there, OpenAI also `enum`, `const` and `not`",
        fix="put the alternatives into one argument",
        source=_OPENAI_TOP,
        check=_combined,
    ),
    NodeRule(
        code="MB505",
        severity="error",
        title="list without items",
        why="OpenAI answers `array schema missing items`, Gemini `items: missing field`",
        fix="say what the list holds; {} takes anything",
        source="https://github.com/sigoden/aichat/pull/1049",
        check=_no_items,
    ),
    ToolRule(
        code="MB506",
        severity="warning",
        title="description that OpenAI refuses",
        why="its chat API takes at most 1,024 characters",
        fix="shorten it",
        source="https://github.com/getsentry/sentry-mcp/issues/106",
        check=_openai_description,
    ),
    SetRule(
        code="MB507",
        severity="warning",
        title="more tools than OpenAI takes",
        why="a request holds at most 128 tools, of all servers together",
        fix="choose with Select or Filter",
        source="https://platform.openai.com/docs/api-reference/chat/create#chat_create-tools",
        check=_openai_tools,
    ),
    NodeRule(
        code="MB508",
        severity="warning",
        title="enum that Gemini refuses",
        why="a Gemini schema's enum holds text only",
        fix="write the values as text, or give a range",
        source="https://github.com/microsoft/azure-devops-mcp/issues/139",
        check=_gemini_enum,
    ),
    NodeRule(
        code="MB509",
        severity="info",
        title="keyword that Gemini does not know",
        why="in a Gemini schema it is an unknown field, and the request is refused",
        fix="say the same with type, enum, properties, items or anyOf",
        source=_GEMINI,
        check=_gemini_keyword,
    ),
    NodeRule(
        code="MB510",
        severity="info",
        title="keyword that OpenAI's strict mode refuses",
        why="strict mode takes a part of JSON Schema only",
        fix="send the tool without strict, or say the same with anyOf",
        source=_STRICT,
        check=_strict_keyword,
    ),
    NodeRule(
        code="MB511",
        severity="info",
        title="open object, which OpenAI's strict mode refuses",
        why="strict mode needs `additionalProperties: false`, so that an object of any members can't be said",
        fix="declare the members, or send the tool without strict",
        source=_STRICT,
        check=_strict_open,
        top=False,
    ),
    ToolRule(
        code="MB512",
        severity="info",
        title="schema too large for OpenAI's strict mode",
        why="at most 5,000 properties, 1,000 enum values and 120,000 characters of names and values",
        fix="split the tool, or send it without strict",
        source=_STRICT,
        check=_strict_size,
    ),
)
