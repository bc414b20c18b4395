"""`sample`: a value that fits a JSON Schema; pure and always the same, so that tests can rely on it.

Examples and defaults that a schema gives come first, then what its keywords ask for. A fake API answers with these.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast

from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.operation import Schema
from mcpbridge.testing.patterns import text_like
from mcpbridge.tools import Json
from mcpbridge.wrap.compiled import UnusableSchema, compile_schema

DEPTH = 6
"""How deep optional members go; required ones go on."""

DEEPEST = 40
"""Where a schema that requires itself without end is given up."""

FORMATS: Mapping[str, str] = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "name@example.com",
    "hostname": "host.example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uri-reference": "/path",
    "url": "https://example.com/",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
    "byte": "dGV4dA==",
    "binary": "dGV4dA==",
}


def sample(schema: Schema) -> Json:
    """A value that the schema accepts, or as near as it could be made: `fits` tells.

    References lead into `$defs` and other places of the schema itself.
    """
    if isinstance(schema, bool):
        return None
    first = _Sampler(schema).value(schema, 0)
    if fits(schema, first):
        return first
    for way in _OTHER_WAYS:
        made = _Sampler(schema, **way).value(schema, 0)
        if fits(schema, made):
            return made
    return first


def fits(schema: Schema, value: Json) -> bool:
    """Whether the schema accepts the value; one that is unusable accepts none."""
    if isinstance(schema, bool):
        return schema
    try:
        return compile_schema(schema).validator.is_valid(value)
    except UnusableSchema:
        return False


class _Way(TypedDict, total=False):
    shown: bool
    depth: int
    pick: int


_OTHER_WAYS: Sequence[_Way] = (
    {"shown": False},
    {"shown": False, "pick": 1},
    {"shown": False, "depth": 0},
    {"shown": False, "depth": 0, "pick": 1},
    {"shown": False, "depth": 0, "pick": 2},
    {"shown": False, "depth": 1},
)
"""What is tried next: examples of real descriptions often do not fit, and alternatives exclude each other."""


class _Sampler:
    """Makes values of one schema.

    `shown` takes what its authors show, else only what keywords say; `depth` is how deep optional members go, and
    `pick` which of several alternatives is taken.
    """

    def __init__(self, root: Mapping[str, Json], *, shown: bool = True, depth: int = DEPTH, pick: int = 0) -> None:
        self.root = root
        self.shown = shown
        self.depth = depth
        self.pick = pick

    def value(self, schema: Json, depth: int) -> Json:
        node = self.flat(schema, 0)
        if "const" in node:
            return node["const"]
        if self.shown and is_list(examples := node.get("examples")) and examples:
            return examples[0]
        if self.shown and "default" in node and node["default"] is not None:
            return node["default"]
        if is_list(values := node.get("enum")) and values:
            return next((each for each in values if each is not None), None)
        return self.typed(node, depth)

    def flat(self, schema: Json, hops: int) -> dict[str, Json]:
        """The schema with what it refers to, all parts of an `allOf`, and the first alternative."""
        if not is_object(schema) or hops > DEEPEST:
            return {}
        node = {name: each for name, each in schema.items() if name not in _COMPOSED}
        parts: list[Json] = []
        if isinstance(schema.get("$ref"), str):
            parts.append(self.pointed(schema["$ref"]))
        if is_list(schema.get("allOf")):
            parts += schema["allOf"]
        for name in ("oneOf", "anyOf"):
            if is_list(schema.get(name)):
                parts += self.choice(schema[name])
        for part in parts:
            node = _merged(self.flat(part, hops + 1), node)
        return node

    def choice(self, alternatives: Sequence[Json]) -> Sequence[Json]:
        real = [each for each in alternatives if not (is_object(each) and each.get("type") == "null")]
        return [(real or alternatives)[min(self.pick, len(real or alternatives) - 1)]] if alternatives else []

    def pointed(self, ref: str) -> Json:
        value: Json = self.root
        for part in ref.removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            value = cast("Mapping[str, Json]", value).get(key) if isinstance(value, Mapping) else None
        return value

    def typed(self, node: dict[str, Json], depth: int) -> Json:
        match _type_of(node):
            case "object":
                return self.object(node, depth)
            case "array":
                return self.array(node, depth)
            case "string":
                return _text(node)
            case "integer" | "number" as kind:
                return _number(node, whole=kind == "integer")
            case "boolean":
                return True
            case _:
                return None

    def object(self, node: dict[str, Json], depth: int) -> dict[str, Json]:
        properties: dict[str, Json] = node["properties"] if is_object(node.get("properties")) else {}
        required: list[str] = node["required"] if is_list(node.get("required")) else []
        if depth > DEEPEST:
            return {}
        made: dict[str, Json] = {}
        for name, member in properties.items():
            if member is not False and (name in required or depth < self.depth):
                made[name] = self.value(member, depth + 1)
        others = node.get("additionalProperties", True)
        least = node.get("minProperties", 0)
        wanted = [name for name in required if name not in made]
        wanted += [f"member{n}" for n in range(min(int(least), 20) - len(made) - len(wanted))]
        for name in wanted:
            made[name] = self.value(others, depth + 1) if is_object(others) else "text"
        return made

    def array(self, node: dict[str, Json], depth: int) -> list[Json]:
        first: list[Json] = node["prefixItems"] if is_list(node.get("prefixItems")) else []
        made = [self.value(each, depth + 1) for each in first]
        least = min(int(node.get("minItems", 0)), 100)
        most = int(node.get("maxItems", 1_000))
        wanted = min(max(least, 1 if depth < self.depth and "items" in node else 0), most)
        while len(made) < wanted and depth <= DEEPEST:
            made.append(self.value(node.get("items", True), depth + 1))
        return _unlike(made, node) if node.get("uniqueItems") is True else made


_COMPOSED = frozenset({"$ref", "allOf", "oneOf", "anyOf", "$defs", "definitions"})


def _merged(part: dict[str, Json], node: dict[str, Json]) -> dict[str, Json]:
    """Both at once: the members of both, what either requires, and the node's own word on the rest."""
    whole = {**part, **node}
    if is_object(part.get("properties")) and is_object(node.get("properties")):
        whole["properties"] = {**part["properties"], **node["properties"]}
    if is_list(part.get("required")) and is_list(node.get("required")):
        whole["required"] = [*part["required"], *node["required"]]
    return whole


def _type_of(node: Mapping[str, Json]) -> str:
    kind = node.get("type")
    if is_list(kind):
        kind = next((each for each in kind if each != "null"), "null")
    if isinstance(kind, str):
        return kind
    for name, meant in _MEANT.items():
        if name in node:
            return meant
    return "string"


_MEANT = {
    "properties": "object",
    "required": "object",
    "additionalProperties": "object",
    "minProperties": "object",
    "items": "array",
    "prefixItems": "array",
    "minItems": "array",
    "minimum": "number",
    "maximum": "number",
    "multipleOf": "number",
}


def _text(node: Mapping[str, Json]) -> str:
    least, most = int(node.get("minLength", 0)), node.get("maxLength")
    if isinstance(node.get("pattern"), str):
        return text_like(node["pattern"], length=min(least, 1_000))
    text = FORMATS.get(str(node.get("format")), "text")
    text += "x" * (min(least, 10_000) - len(text))
    return text if most is None else text[: int(most)]


def _number(node: Mapping[str, Json], *, whole: bool) -> Json:
    low, high = _bounds(node, step=1 if whole else 0.5)
    step = node.get("multipleOf", 1 if whole else None)
    value: float = 1 if low <= 1 <= high else low if low > -math.inf else high
    if step:
        value = math.ceil(value / step) * step
        value = value if value <= high else value - step
    return int(value) if float(value).is_integer() else value


def _bounds(node: Mapping[str, Json], *, step: float) -> tuple[float, float]:
    low: float = max(_limit(node, "minimum", -math.inf), _limit(node, "exclusiveMinimum", -math.inf) + step)
    high: float = min(_limit(node, "maximum", math.inf), _limit(node, "exclusiveMaximum", math.inf) - step)
    return low, high


def _limit(node: Mapping[str, Any], name: str, otherwise: float) -> float:
    value = node.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


def _unlike(made: list[Json], node: Mapping[str, Json]) -> list[Json]:
    """The items made different, where they can be counted on: texts and numbers, or the values of an enum."""
    items = node.get("items")
    values = cast("dict[str, Json]", items).get("enum") if isinstance(items, dict) else None
    if is_list(values):
        return values[: len(made)]
    seen: list[Json] = []
    for index, value in enumerate(made):
        if value in seen and isinstance(value, str):
            seen.append(f"{value}{index}")
        elif value in seen and isinstance(value, int | float):
            seen.append(value + index)
        elif value not in seen:
            seen.append(value)
    return seen
