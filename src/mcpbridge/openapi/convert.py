"""One pass over a schema of any dialect that gives JSON Schema 2020-12.

Nothing is copied or inlined: a `$ref` becomes `#/$defs/NAME`, and what it leads to is converted on its own, when it is
asked for. Very deep schemas are cut into such parts too, so that neither this pass nor a validator recurses deep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from mcpbridge.openapi.applicators import INNER
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.keywords import RULES, TYPES, description
from mcpbridge.openapi.problems import Severity, Trail
from mcpbridge.openapi.values import enum

if TYPE_CHECKING:
    from mcpbridge.openapi.schema import Schemas

Raw: TypeAlias = "dict[str, Any]"
Node: TypeAlias = "dict[str, Any] | bool"
At: TypeAlias = "tuple[Raw, Trail, int, bool]"
"""A schema, where it stands, how deep, and whether it judges the same value as its definition does (`allOf` …)."""

ANNOTATIONS = frozenset({"description", "title", "default", "examples", "deprecated"})
_BESIDE_REF = ANNOTATIONS | {"example", "nullable"}
"""What is read beside a `$ref` in OpenAPI 3.0 and Swagger 2.0, which ignore it all: tools read these."""

_SURFACE = frozenset({"type", "nullable", "allOf", "anyOf", "oneOf"})
"""What says of which type a member is."""

_ENTANGLED = frozenset({"$ref", "allOf", "oneOf", "anyOf", "enum", "required", "discriminator", "nullable"})
"""Keywords that mean something together with others; each of the rest is converted alone."""

_DEEP = 48
_MANY = 30
_NO_NAMES: frozenset[str] = frozenset()


class Conversion:
    """The conversion of one definition, or of one schema of an operation.

    `output` decides whether `readOnly` or `writeOnly` members are left out. `refs` collects the names that were
    referred to; `tight` the references that judge the same value as the whole: a circle of those has no end. With
    `surface` only the types of an object's members are converted, and nothing inside them.
    """

    __slots__ = ("base", "directed", "hidden", "output", "refs", "schemas", "surface", "tight", "trail")

    def __init__(self, schemas: Schemas, base: str, *, output: bool, surface: bool = False) -> None:
        self.schemas = schemas
        self.base = base
        self.output = output
        self.directed = schemas.directed
        self.surface = surface
        self.refs: dict[str, None] = {}
        self.tight: list[tuple[Raw, str]] = []
        self.hidden = _NO_NAMES
        self.trail: Trail = None

    def node(self, raw: Any, trail: Trail, depth: int = 0, tight: bool = False, plain: bool = False) -> Node:  # noqa: FBT001, FBT002 -- called for each node: keywords cost a tenth of it
        """A schema converted. `plain` is a base of others, from which no heir is chosen by its discriminator."""
        if not is_object(raw):
            return self._odd(raw, trail)
        node = raw
        if depth > _DEEP or (self.schemas.references.identifies and "$id" in node):
            return self._apart(node, trail, depth, tight=tight)
        at = (node, trail, depth, tight)
        out: Raw = {}
        if _ENTANGLED.isdisjoint(node):
            self._keywords(node, out, at)
            return out
        if "$ref" in node:
            target = self._target(node, at, plain=plain)
            if len(node) == 1 or target is False:
                return target
            if target is not True:
                out = target
        elif "discriminator" in node and not plain and (family := self.schemas.family(node, self.base, trail)):
            return self._family(node, trail, family, tight=tight)
        return self._judging(node, out, at)

    def _judging(self, node: Raw, out: Raw, at: At) -> Node:
        """What the schema itself says, and then what depends on all of it."""
        before = self.hidden
        if self.directed and ("allOf" in node or "oneOf" in node or "anyOf" in node):
            self.hidden = before | self.schemas.hidden(node, self.base, output=self.output)
        self._keywords(node, out, at)
        if "required" in out and self.directed:
            self._unrequire(out, node)
        self.hidden = before
        if "discriminator" in node:
            _tell_choice(out, node)
        if "nullable" in node and node["nullable"] in (True, "true"):
            return nullable(out)
        return out

    def _keywords(self, node: Raw, out: Raw, at: At) -> None:
        """Each keyword by its rule; what has none is dropped."""
        say, trail = self.say, at[1]
        self.trail = trail
        allowed = None if self.schemas.modern or "$ref" not in node else _BESIDE_REF
        if self.surface and not at[3]:
            allowed = _SURFACE
        for key, value in node.items():
            if allowed is not None and key not in allowed:
                continue
            if key == "type" and type(value) is str and value in TYPES:
                out["type"] = value  # nearly every schema has it
            elif (rule := RULES.get(key)) is not None:
                rule(out, key, value, node, say)
            elif (inner := INNER.get(key)) is not None:
                inner(self, out, value, at)
                self.trail = trail
        if "enum" in node and allowed is None:
            enum(out, node["enum"], say)

    def say(self, severity: Severity, key: str, message: str, repair: str) -> None:
        """Reports a problem of the node that is being converted."""
        self.schemas.problems.add(severity, (self.trail, key) if key else self.trail, message, repair)

    def refer(self, name: str, *, tight: bool) -> Raw:
        """A reference to a definition."""
        out = {"$ref": f"#/$defs/{name}"}
        self.refs[name] = None
        if tight:
            self.tight.append((out, name))
        return out

    def _target(self, node: Raw, at: At, *, plain: bool) -> Node:
        ref = node["$ref"]
        if not isinstance(ref, str):
            self.trail = at[1]
            self.say("error", "$ref", "a reference has to be text", "any value is accepted")
            return {}
        return self.reference(ref, at[1], tight=at[3], plain=plain)

    def reference(self, ref: str, trail: Trail, *, tight: bool, plain: bool) -> Node:
        """What a `$ref` becomes: a reference to a definition, or nothing in particular where it leads nowhere."""
        found = self.schemas.target(ref, self.base, trail)
        if found is None:
            return {}
        if isinstance(found.value, bool):
            return found.value
        return self.refer(self.schemas.name_of(found, output=self.output, plain=plain), tight=tight)

    def _unrequire(self, out: Raw, raw: Raw) -> None:
        """A member that was left out cannot be required."""
        stated = raw.get("properties")
        kept = out.get("properties", {})
        gone = {name for name in stated if name not in kept} if is_object(stated) else _NO_NAMES
        if self.hidden:
            gone = gone | self.hidden
        if gone:
            out["required"] = [name for name in out["required"] if name not in gone]
            if not out["required"]:
                del out["required"]

    def _odd(self, raw: Any, trail: Trail) -> Node:
        if isinstance(raw, bool):
            return raw
        if raw is not None and raw != []:
            self.trail = trail
            self.say("warning", "", f"a schema cannot be a {type(raw).__name__}", "any value is accepted")
        return {}

    def _apart(self, node: Raw, trail: Trail, depth: int, *, tight: bool) -> Node:
        if depth > _DEEP:
            return self.refer(self.schemas.apart(node, self.base, trail, output=self.output), tight=tight)
        return self._resource(node, trail, depth, tight=tight)

    def _resource(self, raw: Raw, trail: Trail, depth: int, *, tight: bool) -> Node:
        """A schema with an `$id`, from which references inside it start (JSON Schema 2020-12 section 8.2.1)."""
        before = self.base
        self.base = self.schemas.references.enter(raw, before)
        try:
            inner = self.schemas.keep({key: value for key, value in raw.items() if key != "$id"})
            return self.node(inner, trail, depth, tight)
        finally:
            self.base = before

    def _family(self, raw: Raw, trail: Trail, family: list[str], *, tight: bool) -> Node:
        """A schema that its heirs extend: one of them, or itself (OpenAPI 3.0 section 4.7.25.1)."""
        own = self.refer(self.schemas.apart(raw, self.base, trail, output=self.output, plain=True), tight=tight)
        heirs = [self.reference(ref, trail, tight=tight, plain=True) for ref in family]
        out: Raw = {"anyOf": [*heirs, own]}
        if isinstance(raw.get("description"), str):
            description(out, "description", raw["description"], raw, self.say)
        _tell_choice(out, raw)
        return nullable(out) if raw.get("nullable") is True else out


def nullable(schema: Raw) -> Raw:
    """The schema, or null (OpenAPI 3.0 `nullable`): one type more, or one alternative more.

    The schema itself stays the object that it is: references out of it are known by it.
    """
    kind = schema.get("type")
    if isinstance(kind, str) and kind != "null":
        schema["type"] = [kind, "null"]
    elif is_list(kind) and "null" not in kind:
        schema["type"] = [*kind, "null"]
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    if not any(key in schema for key in ("$ref", "allOf", "anyOf", "oneOf", "not", "const")):
        return schema
    judging = [key for key in schema if key not in ANNOTATIONS]
    if judging in (["oneOf"], ["anyOf"]):
        if {"type": "null"} not in schema[judging[0]]:
            schema[judging[0]].append({"type": "null"})
        return schema
    outer = {key: schema.pop(key) for key in [key for key in schema if key in ANNOTATIONS]}
    if "type" in schema and kind is not None:
        schema["type"] = kind
    return {**outer, "anyOf": [schema, {"type": "null"}]}


def _tell_choice(out: Raw, raw: Raw) -> None:
    """Says which values of the discriminator choose: a validator finds the alternative by its form."""
    stated = raw["discriminator"]
    if not is_object(stated):
        return
    name, mapping = stated.get("propertyName"), stated.get("mapping")
    if isinstance(name, str) and is_object(mapping) and 0 < len(mapping) <= _MANY:
        text = f"Chosen by {name}: {', '.join(map(str, mapping))}."
        out["description"] = f"{out['description']} {text}" if "description" in out else text
