"""Which values a changed schema accepts no longer.

The comparison is structural: it says `compatible` only where that can be seen keyword by keyword, and `breaking`
wherever it can't. Recursion is followed once for each pair of references.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

from mcpbridge.tools import Json

Verdict: TypeAlias = Literal["breaking", "compatible", "text"]
Finding: TypeAlias = tuple[Verdict, str, str]
"""A verdict, a JSON pointer into the new schema, and what changed in words."""

TEXT = frozenset({"title", "description", "examples", "default", "$comment", "deprecated", "readOnly", "writeOnly"})
LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"})
UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"})
SCHEMA = frozenset({"items", "additionalProperties", "propertyNames", "contains", "unevaluatedProperties"})
SCHEMAS = frozenset({"properties", "patternProperties", "$defs"})
TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


@dataclass(frozen=True, slots=True)
class Roots:
    """The two whole schemas that `$ref`s point into, and the pairs of references that are being compared."""

    old: Mapping[str, Json]
    new: Mapping[str, Json]
    open: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])


def compare_schemas(old: Mapping[str, Json], new: Mapping[str, Json], pointer: str = "") -> Sequence[Finding]:
    """What changed for the values that the schemas accept; empty where they are equal."""
    return [*_compare(old, new, pointer, Roots(old, new))]


def _compare(old: Json, new: Json, pointer: str, roots: Roots) -> Iterator[Finding]:
    refs = (_reference(old), _reference(new))
    if refs in roots.open or (old == new and refs == ("", "")):
        return
    roots.open.add(refs) if any(refs) else None
    old, new = _followed(old, roots.old), _followed(new, roots.new)
    if new is True or new == {}:
        if old not in (True, {}):
            yield ("compatible", pointer, "accepts anything now")
        return
    if not isinstance(old, dict) or not isinstance(new, dict):
        yield ("breaking", pointer, "is another kind of schema now")
        return
    before, after = cast("dict[str, Json]", old), cast("dict[str, Json]", new)
    for keyword in sorted({*before, *after} - {"$defs", "type", "$ref"}):
        yield from _keyword(keyword, before, after, f"{pointer}/{_escaped(keyword)}", roots)
    yield from _types(before, after, f"{pointer}/type")


def _keyword(keyword: str, old: dict[str, Json], new: dict[str, Json], pointer: str, roots: Roots) -> Iterator[Finding]:
    before, after = old.get(keyword), new.get(keyword)
    if keyword in SCHEMAS:
        yield from _properties(keyword, old, new, pointer, roots)
    elif keyword in SCHEMA:
        default: Json = True
        yield from _compare(old.get(keyword, default), new.get(keyword, default), pointer, roots)
    elif before == after:
        return
    elif keyword in TEXT or keyword.startswith("x-"):
        yield ("text", pointer, f"{keyword} reads otherwise")
    elif keyword not in new:
        yield ("compatible", pointer, f"{keyword} is gone")
    elif rule := RULES.get(keyword):
        yield ("compatible" if rule(before, after) else "breaking", pointer, f"{keyword} was {before!r}, is {after!r}")
    elif keyword in LOWER or keyword in UPPER:
        wider = before is not None and (after <= before if keyword in LOWER else after >= before)
        yield ("compatible" if wider else "breaking", pointer, f"{keyword} was {before!r}, is {after!r}")
    elif keyword in {"anyOf", "oneOf", "allOf", "prefixItems"} and _same_length(before, after):
        for index, (one, other) in enumerate(zip(before or (), after or (), strict=True)):
            yield from _compare(one, other, f"{pointer}/{index}", roots)
    else:
        yield ("breaking", pointer, f"{keyword} changed")


def _properties(
    keyword: str, old: dict[str, Json], new: dict[str, Json], pointer: str, roots: Roots
) -> Iterator[Finding]:
    before: dict[str, Json] = old.get(keyword) or {}
    after: dict[str, Json] = new.get(keyword) or {}
    for name in sorted({*before, *after}):
        place = f"{pointer}/{_escaped(name)}"
        if name not in after:
            closed = new.get("additionalProperties") is False
            yield ("breaking" if closed else "compatible", place, f"{name} is gone")
        elif name not in before:
            narrows = old.get("additionalProperties", True) is not False and name not in new.get("required", ())
            yield ("compatible", place, f"{name} is new" + (" where any value was accepted" if narrows else ""))
        else:
            yield from _compare(before[name], after[name], place, roots)


def _types(old: Mapping[str, Json], new: Mapping[str, Json], pointer: str) -> Iterator[Finding]:
    before, after = _type_set(old), _type_set(new)
    if before != after:
        effect: Verdict = "compatible" if before <= after else "breaking"
        yield (effect, pointer, f"type was {_listed(before)}, is {_listed(after)}")


def _type_set(schema: Mapping[str, Json]) -> frozenset[str]:
    named = schema.get("type")
    types = frozenset([named]) if isinstance(named, str) else frozenset(cast("list[str]", named or TYPES))
    return types | {"integer"} if "number" in types else types


def _listed(types: frozenset[str]) -> str:
    return "any" if types >= TYPES else " or ".join(sorted(types))


def _wider_enum(before: Json, after: Json) -> bool:
    return before is not None and all(value in after for value in before)


def _fewer_required(before: Json, after: Json) -> bool:
    return {*(after or ())} <= {*(before or ())}


RULES: Mapping[str, Callable[[Json, Json], bool]] = {
    "enum": _wider_enum,
    "required": _fewer_required,
    "uniqueItems": lambda before, after: after is False or before is True,
    "multipleOf": lambda before, after: before is not None and before % after == 0,
}
"""Keywords whose new value may accept more: whether it accepts whatever the old one did."""


def _same_length(before: Json, after: Json) -> bool:
    return isinstance(before, list) and isinstance(after, list) and len(before) == len(after)  # pyright: ignore[reportUnknownArgumentType] - JSON


def _reference(schema: Json) -> str:
    return str(cast("dict[str, Json]", schema).get("$ref", "")) if isinstance(schema, dict) else ""


def _followed(schema: Json, root: Mapping[str, Json]) -> Json:
    """The schema that a `#/$defs/NAME` points to; siblings of the `$ref` win."""
    hops = 0
    while (reference := _reference(schema)).startswith("#/$defs/") and hops < 50:
        target = root.get("$defs", {}).get(reference.removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~"))
        siblings = {name: value for name, value in cast("dict[str, Json]", schema).items() if name != "$ref"}
        found = cast("dict[str, Json] | bool | None", target)
        schema = {**found, **siblings} if isinstance(found, dict) else found is not False
        hops += 1
    return schema


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
