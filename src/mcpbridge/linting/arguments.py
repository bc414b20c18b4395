"""Rules about arguments that a model will fill in wrongly (MB306 to MB311); parts of an argument are not looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mcpbridge.linting.rule import Hit, Node, Rule, ToolRule, readable
from mcpbridge.linting.schemas import types_of
from mcpbridge.linting.settings import LintLimits
from mcpbridge.linting.subject import Subject, step, words_of

_SHAPES = ("$ref", "enum", "const", "anyOf", "oneOf", "allOf", "not", "if")
_SAYS = (
    r"(?:(?<!least )(?<!most )(?<!exactly )(?<!only )\b(?:one of|either)|\b(?:can|must|may|should) (?:only )?be"
    r"|\b(?:values?|options?|choices?)(?::| are| is| includes?)"
    r"|(?:possible|allowed|valid|accepted|supported|available) \w+(?: \([^()]{0,40}\))? are|(?<!example)(?<!e\.g\.):|^)"
    r"(?:\s{1,3}(?:are|is|one of|either|set to|the following|values?|strings?|the)){0,4}\s{0,3}:?\s{0,3}"
)
"""What goes right before a list of values; "at least one of" goes before other arguments."""
_VALUE = r"[`'\"“‘][\w./:+-]{1,40}[`'\"”’](?:\s*\([^()]*\))?"
_BETWEEN = r"\s*(?:,\s*(?:or|and)?|\bor\b|\band\b|\||/)\s*"
_QUOTED = re.compile(rf"{_SAYS}({_VALUE}(?:{_BETWEEN}{_VALUE})+)(?! of\b)", re.IGNORECASE)
_LISTED = re.compile(
    r"(?:(?<!least )(?<!most )(?<!exactly )(?<!only )\bone of|"
    r"(?:possible|allowed|valid|accepted|supported) (?:values|options)(?: are| include)?)\s*:?\s*"
    r"([\w./-]+(?:\s*,\s*[\w./-]+)*,?\s+or\s+[\w./-]+)|\beither ([\w./-]+ or [\w./-]+)(?=[.,;)]|$)|"
    r"\bone of:?\s+([\w./-]+(?:\s*[,|]\s*[\w./-]+){2,})|"
    r"(?:possible|allowed|valid|accepted|supported) (?:values|options)(?: are| include)?:\s*"
    r"([\w./-]+(?:\s*[,|]\s*[\w./-]+)+)",
    re.IGNORECASE,
)
_WITHIN = re.compile(r"[`'\"“‘]([\w./:+-]{1,40})[`'\"”’]")
_APART = re.compile(r"\s*[,|]\s*(?:(?:or|and)\s+)?|\s+or\s+")
_NULL, _STRING, _BOOLEAN = frozenset(["null"]), frozenset(["string"]), frozenset(["boolean"])
_FORMATS = {
    "email": "email",
    "uuid": "uuid",
    "guid": "uuid",
    "url": "uri",
    "uri": "uri",
    "website": "uri",
    "hostname": "hostname",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "date": "date",
    "datetime": "date-time",
    "timestamp": "date-time",
}
_UUID = r"\b(?:(?:is|as|be)(?: an?)?|an?|valid|in) (?:valid )?(?:v4 )?UUID\b(?! or\b)|^UUID\b"
_SAID_FORMATS = (
    (re.compile(r"\bISO[- ]?8601\b|\bRFC[- ]?3339\b"), "date or date-time"),
    (re.compile(r"\bYYYY-MM-DD\b(?!T)", re.IGNORECASE), "date"),
    (re.compile(_UUID, re.IGNORECASE), "uuid"),
)
_BOUNDED = frozenset(
    words_of("limit page size count offset top skip percent percentage port latitude longitude lat lon")
)


def _undescribed(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    for name, schema in subject.arguments.items():
        if not schema.get("description") and not schema.get("title") and not _closed(schema):
            yield _at(name, "has no description")


def _closed(schema: Node) -> bool:
    """Whether its values tell what it is: a choice, or yes and no."""
    return "enum" in schema or "const" in schema or types_of(schema) == _BOOLEAN


def _enum_known(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    for name, text in _free(subject):
        if "comma" in text.lower():
            continue  # a list of values in one text: no enum says that
        values = [value for value in _values_in(text) if any(map(str.isalnum, value))]
        if len(values) > 1 and not subject.arguments.keys() >= {*values}:  # else other arguments are named
            shown = readable(", ".join(values), 60)
            yield _at(name, f"is free text, though its description lists the values {shown}")


def _values_in(text: str) -> Sequence[str]:
    """The values that a description lists."""
    if found := _QUOTED.search(text):
        return list(dict.fromkeys(_WITHIN.findall(found[1])))
    found = _LISTED.search(text)
    listed = next((each for each in found.groups() if each), "") if found else ""
    return [value.rstrip(".") for value in _APART.split(listed)]


def _format_known(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    for name, text in _free(subject):
        words = words_of(name)
        known = _FORMATS.get(words[-1]) if words else None
        known = known or next((what for said, what in _SAID_FORMATS if said.search(text)), None)
        if known:
            yield _at(name, f"is free text, though it is a {known}")


def _free(subject: Subject) -> Iterator[tuple[str, str]]:
    """Arguments that take any text, with their descriptions."""
    for name, schema in subject.arguments.items():
        if types_of(schema) - _NULL == _STRING and not schema.keys() & {"format", "pattern", *_SHAPES}:
            said = schema.get("description")
            yield name, said if isinstance(said, str) else ""


def _no_range(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    bounds = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", *_SHAPES}
    for name, schema in subject.arguments.items():
        words = words_of(name)
        number = types_of(schema) - {"null"} and types_of(schema) <= {"integer", "number", "null"}
        if number and words and words[-1] in _BOUNDED and not schema.keys() & bounds:
            yield _at(name, "is any number at all")


def _too_many(subject: Subject, limits: LintLimits) -> Iterator[Hit]:
    if (count := len(subject.arguments)) > limits.arguments:
        yield Hit("/inputSchema/properties", f"there are {count} arguments, over {limits.arguments}")


def _takes_anything(subject: Subject, _: LintLimits) -> Iterator[Hit]:
    shaped = {"type", "properties", "items", "additionalProperties", "patternProperties", *_SHAPES}
    for name, schema in subject.arguments.items():
        if not schema.keys() & shaped:
            yield _at(name, "takes any value")


def _at(name: str, what: str) -> Hit:
    return Hit(f"/inputSchema/properties{step(name)}", f"{readable(name, 64)!r} {what}")


RULES: Sequence[Rule] = (
    ToolRule(
        code="MB306",
        severity="info",
        title="argument without description",
        why="a model guesses what to put there from the name",
        fix="say what it is, with an example where its form is not obvious",
        check=_undescribed,
    ),
    ToolRule(
        code="MB307",
        severity="warning",
        title="free text where the values are known",
        why="a model invents a value that the API refuses",
        fix="put the values into enum",
        check=_enum_known,
    ),
    ToolRule(
        code="MB308",
        severity="info",
        title="free text where the format is known",
        why="a model writes dates, addresses and ids as people do",
        fix="add format, or a pattern",
        check=_format_known,
    ),
    ToolRule(
        code="MB309",
        severity="info",
        title="number without a range",
        why="a model asks for page 0 or a million rows",
        fix="add minimum and maximum",
        check=_no_range,
    ),
    ToolRule(
        code="MB310",
        severity="warning",
        title="too many arguments",
        why="each one is a chance to get it wrong, and all are read in every turn",
        fix="split the tool, or fix and hide arguments with Edit",
        check=_too_many,
    ),
    ToolRule(
        code="MB311",
        severity="info",
        title="argument that takes anything",
        why="a model has nothing to go by, and nothing is checked before the call",
        fix="give its type",
        check=_takes_anything,
    ),
)
