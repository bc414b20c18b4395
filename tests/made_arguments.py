"""Arguments made up from a schema in a provider's words, and what becomes of them on the way back."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jsonschema_rs
import rstr

from mcpbridge.dialects.model import ModelTool
from mcpbridge.openapi.jsontext import is_list, is_object

Schema = Mapping[str, Any]
FORMATS = {
    "date-time": "2024-02-03T04:05:06Z", "date": "2024-02-03", "time": "04:05:06Z", "duration": "P1D",
    "email": "ada@example.com", "hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
    "uuid": "6a2f41a3-c54c-4ce8-92d9-0b5f0e4c4c4c", "uri": "https://example.com/x", "uri-reference": "/x",
    "regex": "a+", "json-pointer": "/a", "iri": "https://example.com/x", "idn-email": "ada@example.com",
}  # fmt: skip
MARK = "§"
"""What JSON text holds here: no schema of the model's says what it should."""


class Stuck(Exception):
    """A value that this generator can't make."""


class Maker:
    """Makes values of a schema: with `full` every member is given, else only those that have to be, or some."""

    def __init__(self, root: Schema, seed: int, *, share: float) -> None:
        self.root = root
        self.random = random.Random(seed)
        self.text = rstr.Rstr(self.random)
        self.share = share

    def value(self, schema: Any, depth: int = 0) -> Any:
        if schema is False or depth > 30:
            raise Stuck
        if not is_object(schema) or not schema:
            return self.random.choice(["any", 7, {"free": True}])
        if "$ref" in schema:
            return self.value(self._behind(schema["$ref"]), depth + 1)
        if "enum" in schema or "const" in schema:
            return self.random.choice(schema.get("enum") or [schema["const"]])
        return self._of_kind(schema, depth)

    def _of_kind(self, schema: Schema, depth: int) -> Any:
        for word in ("anyOf", "oneOf", "allOf"):
            if word in schema:
                rest = {key: schema[key] for key in schema if key != word}
                chosen = schema[word] if word == "allOf" else [self._branch(schema[word], depth)]
                return self.value(self._merged([rest, *chosen]), depth + 1)
        kinds = schema.get("type", "object" if "properties" in schema else "string")
        kind = kinds if isinstance(kinds, str) else self.random.choice(kinds)
        return getattr(self, f"_{kind}")(schema, depth)

    def _branch(self, branches: Sequence[Any], depth: int) -> Any:
        if depth > 6:  # come to an end: null or a scalar where there is one
            plain = [each for each in branches if each.get("type") not in ("object", "array") and "$ref" not in each]
            return self.random.choice(plain or branches)
        return self.random.choice(branches)

    def _merged(self, schemas: Sequence[Any]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for each in schemas:
            schema: dict[str, Any] = {**each} if is_object(each) else {}
            while "$ref" in schema:
                schema = {**self._behind(schema.pop("$ref")), **schema}
            for key, value in schema.items():
                if key == "properties":
                    merged[key] = {**merged.get(key, {}), **value}
                elif key in ("required", "allOf"):
                    merged[key] = [*merged.get(key, ()), *value]
                else:
                    merged[key] = value
        return merged

    def _behind(self, reference: str) -> Any:
        value: Any = self.root
        for word in reference.removeprefix("#").split("/")[1:]:
            key = word.replace("~1", "/").replace("~0", "~")
            value = value[int(key)] if is_list(value) else value[key]
        return value

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        required = {*schema.get("required", ())}
        properties = schema.get("properties", {})
        share = self.share if depth < 6 else 0.0
        names = [name for name in properties if name in required or self.random.random() < share]
        names += [name for name in required if name not in properties]
        return {name: self.value(properties.get(name, True), depth + 1) for name in dict.fromkeys(names)}

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        most = schema.get("maxItems", 3)
        count = max(schema.get("minItems", 0), min(most, self.random.randint(0, 2) if depth < 6 else 0))
        if count > 40:
            raise Stuck
        return [self.value(schema.get("items", True), depth + 1) for _ in range(count)]

    def _string(self, schema: Schema, depth: int) -> str:
        if str(schema.get("description", "")).startswith("JSON text."):
            return json.dumps(self.random.choice([MARK, [MARK], {MARK: [1, None]}]))
        if "pattern" in schema:
            return self._matching(schema)
        text = FORMATS.get(schema.get("format", ""), self.random.choice(["", "a", "it's", "ünï", "null", "12"]))
        return text.ljust(schema.get("minLength", 0), "x")[: max(schema.get("maxLength", 10_000), 0)]

    def _matching(self, schema: Schema) -> str:
        low, high = schema.get("minLength", 0), schema.get("maxLength", 10_000)
        for _ in range(30):
            try:
                text = self.text.xeger(schema["pattern"])
            except Exception as error:  # whatever a foreign pattern does to the generator
                raise Stuck from error
            for cut in (text, text[:high], text[:low]):
                if low <= len(cut) <= high and re.search(schema["pattern"], cut):
                    return cut
        raise Stuck

    def _number(self, schema: Schema, depth: int) -> float:
        step = schema.get("multipleOf")
        low = schema.get("minimum", schema.get("exclusiveMinimum", -2))
        high = schema.get("maximum", schema.get("exclusiveMaximum", max(low, 0) + 9))
        value: float = self.random.choice([low, high, (low + high) / 2])
        return float(round(value / step) * step) if step else value

    def _integer(self, schema: Schema, depth: int) -> int:
        return int(self._number(schema, depth))

    def _boolean(self, schema: Schema, depth: int) -> bool:
        return self.random.random() < 0.5

    def _null(self, schema: Schema, depth: int) -> None:
        return None


def as_json_schema(schema: Any) -> Any:
    """A Gemini schema as JSON Schema, for a validator: `nullable` is the one word that JSON Schema has not."""
    if is_list(schema):
        return [as_json_schema(each) for each in schema]
    if not is_object(schema):
        return schema
    plain = {key: as_json_schema(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


def arguments_for(provider: str, schema: Schema, *, tries: int = 6) -> Iterator[dict[str, Any]]:
    """Arguments that fit a schema in a provider's words, by an independent validator."""
    plain = as_json_schema(schema) if provider == "gemini" else {**schema}
    validator = jsonschema_rs.Draft202012Validator(plain)
    for number in range(tries):
        try:
            made = Maker(plain, number, share=(0.0, 1.0, 0.5)[number % 3]).value(plain)
        except (Stuck, RecursionError):
            continue
        if validator.is_valid(made):
            yield made


def unexcused(tool: ModelTool, *made: dict[str, Any]) -> list[str]:
    """Why arguments of a model are none of the tool's, where no loss says so."""
    validator = jsonschema_rs.Draft202012Validator({**tool.tool.input_schema})
    return [reason for each in made for reason in _unexcused(tool, tool.arguments(each), validator)]


def _unexcused(tool: ModelTool, arguments: Any, validator: jsonschema_rs.Draft202012Validator) -> list[str]:
    marked = [*_marked(arguments)]
    errors = [error for error in validator.iter_errors(arguments) if not _excused(error, tool, marked)]
    found = [f"{error.message[:200]} at {error.schema_path}" for error in errors]
    told = any(loss.code == "text" for loss in tool.losses)
    return found if told or not marked else [*found, f"JSON text that no loss tells, at {marked[0]}"]


def _marked(value: Any, path: str = "") -> Iterator[str]:
    inner: list[tuple[str | int, Any]]
    inner = [*value.items()] if is_object(value) else [*enumerate(value)] if is_list(value) else []
    if value == MARK or any(MARK in (key, each) for key, each in inner):
        yield path
        return
    for key, each in inner:
        yield from _marked(each, f"{path}{_pointer([key])}")


def _excused(error: jsonschema_rs.ValidationError, tool: ModelTool, marked: Sequence[str]) -> bool:
    instance, combiner = _pointer(error.instance_path), error.schema_path[-1] in ("anyOf", "oneOf")
    if any(_within(instance, place) or (combiner and _within(place, instance)) for place in marked):
        return True
    losses = [loss.pointer for loss in tool.losses if loss.code != "text"]
    if any(_within(_pointer(error.schema_path), pointer) for pointer in losses):
        return True
    below = [*_reached(tool.tool.input_schema, error.schema_path)] if combiner else []
    return any(_within(pointer, place) for pointer in losses for place in below)


def _pointer(path: Sequence[str | int]) -> str:
    return "".join("/" + str(word).replace("~", "~0").replace("/", "~1") for word in path)


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith(f"{outer}/")


def _reached(schema: Schema, path: Sequence[str | int]) -> Iterator[str]:
    """The place of alternatives, and every definition that it reaches."""
    yield _pointer(path)
    value: Any = schema
    for word in path:
        value = value[word]
    waiting, seen = [value], set[str]()
    while waiting:
        node = waiting.pop()
        if is_object(node):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference not in seen and reference.startswith("#/$defs/"):
                seen.add(reference)
                yield reference[1:]
                waiting.append(schema["$defs"][reference.removeprefix("#/$defs/").replace("~1", "/")])
            waiting.extend(node.values())
        elif is_list(node):
            waiting.extend(node)
