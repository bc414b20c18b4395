"""Which values a changed schema accepts no longer.

The comparison is structural: it says `compatible` only where that can be seen keyword by keyword, and `breaking`
wherever it can't. Recursion is followed once for each pair of references.

One thing is called compatible that may refuse a value: a property that is new where any other name was accepted.
Whoever sent that name before sent it for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias, cast

from mcpbridge.compare.pairs import Roots, equal, followed, pair_of, same
from mcpbridge.tools import Json

Verdict: TypeAlias = Literal["breaking", "compatible", "text"]
Finding: TypeAlias = tuple[Verdict, str, str]
"""A verdict, a JSON pointer into the new schema, and what changed in words."""

TEXT = frozenset(
    {"title", "description", "examples", "default", "$comment", "deprecated", "readOnly", "writeOnly", "$schema", "$id"}
)
LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"})
UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"})
SCHEMA = frozenset({"items", "additionalProperties", "propertyNames", "contains", "unevaluatedProperties"})
SCHEMAS = frozenset({"properties", "patternProperties"})
LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
ELSEWHERE = frozenset({"$defs", "definitions", "type", "$ref"})
"""Keywords that are looked at where they are referred to, or apart."""

TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


def compare_schemas(old: Mapping[str, Json], new: Mapping[str, Json], pointer: str = "") -> Sequence[Finding]:
    """What changed for the values that the schemas accept; empty where they are equal."""
    try:
        return [] if same(old, new) else [*_compare(dict(old), dict(new), pointer, Roots.of(old, new))]
    except RecursionError:
        return [("breaking", pointer, "is nested too deeply to be compared")]


def _compare(old: Json, new: Json, pointer: str, roots: Roots) -> Iterator[Finding]:
    if equal(old, new, roots):
        return
    roots.work.left -= 1
    if roots.work.left < 0:
        yield ("breaking", pointer, "is too large to be compared")
        return
    pair = pair_of(old, new)
    if pair is None:
        yield from _followed(old, new, pointer, roots)
    elif pair in roots.done:
        first, breaks = roots.done[pair]
        yield ("breaking" if breaks else "compatible", pointer, f"changed as {first} did")
    elif pair not in roots.open:
        roots.open.add(pair)
        found = [*_followed(old, new, pointer, roots)]
        roots.open.discard(pair)
        if found and not roots.trial:
            roots.done[pair] = (pointer, any(verdict == "breaking" for verdict, _, _ in found))
        yield from found


def _followed(old: Json, new: Json, pointer: str, roots: Roots) -> Iterator[Finding]:
    before, after = followed(old, roots.old), followed(new, roots.new)
    if after is True or after == {}:
        if before not in (True, {}):
            yield ("compatible", pointer, "accepts anything now")
    elif before is False:
        yield ("compatible", pointer, "accepts something now")
    elif before is True and isinstance(after, dict):
        yield from _keywords({}, cast("dict[str, Json]", after), pointer, roots)
    elif not isinstance(before, dict) or not isinstance(after, dict):
        if old != new:
            yield ("breaking", pointer, "is another kind of schema now")
    else:
        yield from _keywords(cast("dict[str, Json]", before), cast("dict[str, Json]", after), pointer, roots)


def _keywords(old: dict[str, Json], new: dict[str, Json], pointer: str, roots: Roots) -> Iterator[Finding]:
    for keyword in sorted({*old, *new} - ELSEWHERE):
        try:
            yield from _keyword(keyword, old, new, f"{pointer}/{_escaped(keyword)}", roots)
        except (
            TypeError,
            ValueError,
            ArithmeticError,
            AttributeError,
        ):  # a keyword's value is of no kind that it may be of
            yield ("breaking", f"{pointer}/{_escaped(keyword)}", f"{keyword} changed")
    yield from _types(old, new, f"{pointer}/type")


def _keyword(keyword: str, old: dict[str, Json], new: dict[str, Json], pointer: str, roots: Roots) -> Iterator[Finding]:
    before, after = old.get(keyword), new.get(keyword)
    if keyword in SCHEMAS:
        yield from _properties(keyword, old, new, pointer, roots)
    elif keyword in SCHEMA:
        default: Json = True
        yield from _compare(old.get(keyword, default), new.get(keyword, default), pointer, roots)
    elif keyword in LISTS and keyword in new:
        yield from _list(keyword, old, after, pointer, roots)
    elif (keyword in old) == (keyword in new) and same(before, after):
        return
    elif keyword in TEXT or keyword.startswith("x-"):
        yield ("text", pointer, f"{keyword} reads otherwise")
    elif keyword not in new:
        narrower = keyword == "prefixItems" and "items" in new  # which now speaks of the first items too
        yield ("breaking" if narrower else "compatible", pointer, f"{keyword} is gone")
    elif keyword == "enum":
        values = before if "enum" in old else [old["const"]] if "const" in old else None
        wider = values is not None and all(any(same(value, each) for each in after or ()) for value in values)
        yield ("compatible" if wider else "breaking", pointer, f"{keyword} was {before!r}, is {after!r}")
    elif rule := RULES.get(keyword):
        yield ("compatible" if rule(before, after) else "breaking", pointer, f"{keyword} was {before!r}, is {after!r}")
    elif keyword in LOWER or keyword in UPPER:
        wider = before is not None and (after <= before if keyword in LOWER else after >= before)
        yield ("compatible" if wider else "breaking", pointer, f"{keyword} was {before!r}, is {after!r}")
    else:
        yield ("breaking", pointer, f"{keyword} changed")


def _properties(
    keyword: str, old: dict[str, Json], new: dict[str, Json], pointer: str, roots: Roots
) -> Iterator[Finding]:
    before: dict[str, Json] = old.get(keyword, {})
    after: dict[str, Json] = new.get(keyword, {})
    for name in sorted({*before, *after}):
        place = f"{pointer}/{_escaped(name)}"
        if name in before and name in after:
            yield from _compare(before[name], after[name], place, roots)
        elif name in before:
            stays = accepts(before[name], new.get("additionalProperties", True), roots)
            yield ("compatible" if stays else "breaking", place, f"{name} is gone")
        elif keyword == "patternProperties":
            yield ("breaking", place, f"{name} is new")
        else:
            others = old.get("additionalProperties", True)
            if others is True or others is False or accepts(others, after[name], roots):
                optional = others is not False and name not in new.get("required", ())
                yield ("compatible", place, f"{name} is new" + (" where any value was accepted" if optional else ""))
            else:
                yield ("breaking", place, f"{name} is new, and takes less than any other name did")


def _list(keyword: str, old: dict[str, Json], after: Json, pointer: str, roots: Roots) -> Iterator[Finding]:
    """Alternatives (`anyOf`, `oneOf`), parts (`allOf`) and first items, one by one where their number stayed."""
    before = old.get(keyword)
    if before is not None and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _compare(one, other, f"{pointer}/{index}", roots)
        return
    whole: list[Json] = before if before is not None else [{name: old[name] for name in old if name not in TEXT}]
    match keyword:
        case "allOf":
            fits = all(any(accepts(one, other, roots) for one in whole) for other in after)
        case "anyOf" | "oneOf":
            fits = all(any(accepts(one, other, roots) for other in after) for one in whole)
            fits = fits and (keyword == "anyOf" or _apart(after, roots.new))
        case _:
            fits = False
    yield ("compatible" if fits else "breaking", pointer, f"{keyword} has {len(after)} schemas" + _had(before))


def _had(before: Json) -> str:
    return "" if before is None else f" where it had {len(before)}"


def _apart(schemas: Sequence[Json], root: Mapping[str, Json]) -> bool:
    """Whether no two of these can accept the same value, since each is of another type."""
    seen: set[str] = set()
    for schema in schemas:
        plain = followed(schema, root)
        types = _type_set(cast("dict[str, Json]", plain)) if isinstance(plain, dict) else TYPES
        if types & seen:
            return False
        seen |= types
    return True


def accepts(old: Json, new: Json, roots: Roots) -> bool:
    """Whether it can be seen that the new schema accepts whatever the old one does."""
    return all(verdict != "breaking" for verdict, _, _ in _compare(old, new, "", roots.asking()))


def _types(old: Mapping[str, Json], new: Mapping[str, Json], pointer: str) -> Iterator[Finding]:
    before, after = _type_set(old), _type_set(new)
    if before != after:
        effect: Verdict = "compatible" if before <= after else "breaking"
        yield (effect, pointer, f"type was {_listed(before)}, is {_listed(after)}")


def _type_set(schema: Mapping[str, Json]) -> frozenset[str]:
    named = schema.get("type")
    given: list[object] = cast("list[object]", named) if isinstance(named, list) else [named] if named else []
    types = frozenset(str(each) for each in given) or TYPES
    return types | {"integer"} if "number" in types else types


def _listed(types: frozenset[str]) -> str:
    return "any" if types >= TYPES else " or ".join(sorted(types))


def _fewer_required(before: Json, after: Json) -> bool:
    return {*after} <= {*(before or ())}


RULES: Mapping[str, Callable[[Json, Json], bool]] = {
    "required": _fewer_required,
    "uniqueItems": lambda before, after: after is False or before is True,
    "multipleOf": lambda before, after: before is not None and before % after == 0,
}
"""Keywords whose new value may accept more: whether it accepts whatever the old one did."""


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
