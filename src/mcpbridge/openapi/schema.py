"""The schemas of a description as JSON Schema 2020-12: each part converted once, named, and shared by all tools.

`Schemas` converts; it is also the mapping of definitions that operations share: a definition is converted when it is
first looked up. Names come from where a schema stands and from nothing else, so that they stay from import to import:
a component keeps its name, anything else gets its last key and a digest of its place. The variants of one schema are
`NAME.out` (for answers, where members are `writeOnly`) and `NAME.base` (the bare base of a discriminator's family).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from mcpbridge.openapi.convert import Conversion, Raw
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.operation import Schema
from mcpbridge.openapi.problems import File, Problems, Trail, pointer_of
from mcpbridge.openapi.references import CHAIN, Found, References

_Variant: TypeAlias = tuple[bool, bool]
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_TIGHT = 100
"""How many definitions may judge one value in a row, before a validator is in danger."""

_NO_NAMES: frozenset[str] = frozenset()


class Schemas(Mapping[str, Schema]):
    """Converts schemas and holds the definitions. `modern` dialects read what stands beside a `$ref`.

    `components` is the place of named schemas. `directed` says whether any member may be `readOnly` or `writeOnly`:
    without any, inputs and answers share their definitions. `outlines` has the same names, and of each schema only the
    members with their types.
    """

    def __init__(
        self,
        references: References,
        problems: Problems,
        *,
        components: tuple[str, ...],
        modern: bool,
        directed: bool = True,
    ) -> None:
        self.references = references
        self.problems = problems
        self.modern = modern
        self.directed = directed
        self._components = components
        self._names: dict[tuple[int, _Variant], str] = {}
        self._places: dict[str, tuple[Found, _Variant]] = {}
        self._made: dict[str, Schema] = {}
        self._edges: dict[str, tuple[str, ...]] = {}
        self._tight: dict[str, list[tuple[Raw, str]]] = {}
        self._heights: dict[str, int] = {}
        self._closures: dict[str, tuple[str, ...]] = {}
        self._hidden: dict[tuple[int, bool], frozenset[str]] = {}
        self._kept: list[Any] = []
        self.outlines = Outlines(self._outline)

    def convert(self, raw: Any, base: str, trail: Trail, *, output: bool = False) -> Schema:
        """One schema of an operation."""
        return Conversion(self, base, output=output).node(raw, trail)

    def answer(self, found: Found) -> Schema:
        """The schema of an answer; an object gets a definition, so that it is converted when it is asked for."""
        raw = found.value
        if is_object(raw) and not raw.keys().isdisjoint(("properties", "allOf", "oneOf", "anyOf")):
            return {"$ref": f"#/$defs/{self.name_of(found, output=True, plain=False)}"}
        return self.convert(raw, found.base, found.trail, output=True)

    def __getitem__(self, name: str) -> Schema:
        made = self._made.get(name)
        if made is None or name not in self._heights:
            self._settle(name)
            made = self._made[name]
        return made

    def __iter__(self) -> Iterator[str]:
        return iter([*self._places])

    def __len__(self) -> int:
        return len(self._places)

    def edges(self, name: str) -> tuple[str, ...]:
        """The definitions that a definition refers to."""
        _ = self[name]
        return self._edges[name]

    # What a conversion asks.

    def target(self, ref: str, base: str, trail: Trail) -> Found | None:
        """The schema behind a reference; references that only lead on are passed through."""
        found = self.references.resolve(ref, base, trail)
        for _ in range(CHAIN):
            value = None if found is None else found.value
            if found is None or isinstance(value, bool):
                return found
            if not is_object(value):
                if value is not None:
                    self.problems.add("error", trail, f"the reference {ref!r} leads to no schema", "left open")
                return None
            node = value
            if len(node) != 1 or not isinstance(onward := node.get("$ref"), str):
                return found
            found = self.references.resolve(onward, found.base, found.trail)
        self.problems.add("error", trail, f"the reference {ref!r} leads in a circle, or too far", "left open")
        return None

    def name_of(self, found: Found, *, output: bool, plain: bool) -> str:
        """The name of the definition of a schema, in the variant that is wanted."""
        value = found.value
        plain = plain and "discriminator" in value and bool(self.family(value, found.base, found.trail))
        variant = (output and self.directed, plain)
        key = (id(value), variant)
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = self._new_name(found, variant)
            self._places[name] = (found, variant)
        return name

    def apart(self, raw: Raw, base: str, trail: Trail, *, output: bool, plain: bool = False) -> str:
        """A definition of its own for a schema that stands inside another."""
        return self.name_of(Found(raw, base, trail), output=output, plain=plain)

    def keep(self, value: Raw) -> Raw:
        """The value, kept alive: definitions are known by identity."""
        self._kept.append(value)
        return value

    def family(self, raw: Raw, base: str, trail: Trail) -> list[str]:
        """References to the heirs that a discriminator names, where no alternatives stand beside it."""
        stated = raw.get("discriminator")
        mapping = stated.get("mapping") if is_object(stated) else None
        if not is_object(mapping) or "oneOf" in raw or "anyOf" in raw:
            return []
        refs: list[str] = []
        for key, value in mapping.items():
            if isinstance(value, str):
                ref = value if "#" in value or "/" in value else "#/" + "/".join((*self._components, value))
                found = self.target(ref, base, ((trail, "discriminator"), key))
                if found is not None and found.value is not raw and is_object(found.value) and ref not in refs:
                    refs.append(ref)
        return refs

    def one_way(self, raw: Any, base: str, *, output: bool, depth: int = 8) -> bool:
        """Whether a member is left out: `readOnly` of what is sent, `writeOnly` of what is answered.

        What a member is composed of counts with JSON Schema (2020-12 validation section 9.4); OpenAPI 3.0 has both
        keywords for the member's own schema alone (section 4.7.24).
        """
        if not is_object(raw):
            return False
        node = raw
        if node.get("writeOnly" if output else "readOnly") is True:
            return True
        if "$ref" in node:
            ref = node["$ref"]
            found = self.references.resolve(ref, base, None) if type(ref) is str and depth else None
            return found is not None and self.one_way(found.value, found.base, output=output, depth=depth - 1)
        if not self.modern or "allOf" not in node or not depth or not is_list(node["allOf"]):
            return False
        return any(self.one_way(each, base, output=output, depth=depth - 1) for each in node["allOf"])

    def hidden(self, raw: Any, base: str, *, output: bool, depth: int = 8) -> frozenset[str]:
        """The members that are left out of an object, over all that it is composed of."""
        if not is_object(raw) or not depth:
            return _NO_NAMES
        key = (id(raw), output)
        names = self._hidden.get(key)
        if names is None:
            self._hidden[key] = _NO_NAMES
            names = self._hidden[key] = self._find_hidden(raw, base, output=output, depth=depth)
        return names

    def _find_hidden(self, raw: Raw, base: str, *, output: bool, depth: int) -> frozenset[str]:
        if isinstance(ref := raw.get("$ref"), str):
            found = self.references.resolve(ref, base, None)
            return _NO_NAMES if found is None else self.hidden(found.value, found.base, output=output, depth=depth - 1)
        members = raw.get("properties")
        own = members if is_object(members) else {}
        names = frozenset(name for name, each in own.items() if self.one_way(each, base, output=output))
        branches = raw.get("allOf")
        for branch in branches if is_list(branches) else []:
            names |= self.hidden(branch, base, output=output, depth=depth - 1)
        return names

    # Definitions.

    def _make(self, name: str) -> None:
        """Converts one definition. Raises: KeyError for a name that nothing refers to."""
        if name in self._made:
            return
        found, (output, plain) = self._places[name]
        conversion = Conversion(self, found.base, output=output)
        self._made[name] = conversion.node(found.value, found.trail, 0, tight=True, plain=plain)
        self._edges[name] = tuple(conversion.refs)
        self._tight[name] = conversion.tight

    def _outline(self, name: str) -> Schema:
        found, (output, plain) = self._places[name]
        conversion = Conversion(self, found.base, output=output, surface=True)
        return conversion.node(found.value, found.trail, 0, tight=True, plain=plain)

    def _settle(self, name: str) -> None:
        """Converts a definition and all that judge the same value with it, and opens circles among them.

        `A: {allOf: [A]}` has no end in any validator. The reference that closes a circle is taken out, and so is one
        that makes a row of more than `_TIGHT`.
        """
        self._make(name)
        path: list[tuple[str, Iterator[tuple[Raw, str]]]] = [(name, iter(self._tight[name]))]
        on_path = {name}
        while path:
            current, edges = path[-1]
            step = next(edges, None)
            if step is None:
                path.pop()
                on_path.discard(current)
                below = (
                    self._heights.get(inner, 0) for reference, inner in self._tight[current] if "$ref" in reference
                )
                self._heights[current] = 1 + max(below, default=0)
                if path and self._heights[current] >= _TIGHT:
                    self._open(path[-1][0], current)
                continue
            reference, inner = step
            if inner in on_path:
                del reference["$ref"]
                self._say_open(current, f"the schema leads back to {inner!r} without a step into the value")
            elif inner not in self._heights:
                self._make(inner)
                path.append((inner, iter(self._tight[inner])))
                on_path.add(inner)
            elif self._heights[inner] >= _TIGHT:
                self._open(current, inner)

    def _open(self, name: str, inner: str) -> None:
        for reference, target in self._tight[name]:
            if target == inner and "$ref" in reference:
                del reference["$ref"]
        self._say_open(name, f"more than {_TIGHT} schemas in a row judge one value")

    def _say_open(self, name: str, message: str) -> None:
        self.problems.add("error", self._places[name][0].trail, message, "that reference accepts any value")

    def _new_name(self, found: Found, variant: _Variant) -> str:
        output, plain = variant
        trail = found.trail
        key = "root" if trail is None else str(trail[1])
        pointer = pointer_of(trail)
        component = pointer == f"/{'/'.join(self._components)}/{key}"
        if trail is not None and isinstance(trail[1], File):
            key = key.rpartition("/")[2].rpartition(".")[0] or key
        stem = _UNFIT.sub("_", key).strip("._-")[:80] or "schema"
        ending = (".base" if plain else "") + (".out" if output else "")
        if component and stem == key and f"{stem}{ending}" not in self._places:
            return f"{stem}{ending}"
        place = hashlib.sha256(pointer.encode("utf-8", "replace")).hexdigest()
        return f"{stem}_{place[:8]}{ending}"


class Outlines(Mapping[str, Schema]):
    """Definitions of which only the surface is converted, each when it is looked up."""

    def __init__(self, make: Callable[[str], Schema]) -> None:
        self._make = make
        self._made: dict[str, Schema] = {}
        self.derived: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Schema:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(name)
        return made

    def __iter__(self) -> Iterator[str]:
        return iter([*self._made])

    def __len__(self) -> int:
        return len(self._made)
