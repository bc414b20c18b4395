"""A tool's schema in the subset of JSON Schema that a provider takes, and the way back for what became other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from mcpbridge.dialects.back import Items, Member, Members, Text, Union, WayBack
from mcpbridge.dialects.clash import branches_of, clash
from mcpbridge.dialects.loss import Losses
from mcpbridge.dialects.made import ONLY_NULL, Made, Node, described, text_of, with_null
from mcpbridge.dialects.names import legal_name
from mcpbridge.dialects.parts import Gathered, NoValueError, Part, TooMuchError, alternatives, gather, under
from mcpbridge.dialects.rules import Bounds, Rules, Subset
from mcpbridge.dialects.scalars import bounded, described_by, enumerated, enumeration, kinds_of, says_nothing
from mcpbridge.dialects.shared import Definitions, reference_of
from mcpbridge.openapi.jsontext import is_object
from mcpbridge.tools import Json

SHOWN = 300
"""How much of a schema that can only be given as JSON text is shown to the model, in characters."""

PLACES = 20_000
"""How many places are looked at: definitions that are written out where they are used can be without number."""

UNTOLD = (
    "not", "if", "dependentRequired", "dependentSchemas", "dependencies", "propertyNames", "minProperties",
    "maxProperties", "uniqueItems", "contains",
)  # fmt: skip
"""Keywords that no subset has."""


class TooLargeError(Exception):
    """More members or values than the provider takes."""


class Narrow:
    """Writes one tool's schema in a subset, as far as `bounds` go.

    Definitions are written once where the provider takes references, else where they are used. What can't be written
    at all is given as JSON text. `losses` holds what was lost.
    """

    def __init__(self, root: Mapping[str, Json], rules: Rules, subset: Subset, bounds: Bounds) -> None:
        self.root = root
        self.rules = rules
        self.subset = subset
        self.bounds = bounds
        self.losses = Losses()
        self.definitions = Definitions()
        self.members = self.values = self.characters = self.places = 0

    def arguments(self) -> tuple[Mapping[str, Json], WayBack]:
        """The schema of all arguments, and the way back. Raises: TooLargeError."""
        gathered = Gathered(plain=[Part(schema=self.root, pointer="")], choices=(), seen=frozenset({""}))
        self._untold(gathered)
        made = self._object(gathered, 1)
        if made is None:
            made = Made(schema={"type": "object", "properties": {}, **self._closed([])})
        definitions, backs = self.definitions.needed(made.schema)
        schema = {**made.schema, "$defs": definitions} if definitions else made.schema
        return schema, WayBack(root=made.back, definitions=backs, schemas=definitions)

    def _place(self, parts: Sequence[Part], level: int, seen: frozenset[str]) -> Made:
        """What may stand at one place. Raises: NoValueError, TooLargeError."""
        self._count(places=1)
        if self.bounds.levels == 0:
            return self._text(parts)
        if self.bounds.references and (found := reference_of(self.root, parts)) is not None:
            shared = self.definitions.of(found, lambda: self._place([found], 0, frozenset({found.pointer})))
            return described(shared, next((text for each in parts if (text := _description(each))), ""), self.subset)
        try:
            gathered = gather(self.root, parts, seen)
            made = self._union(gathered, level) if gathered.choices else self._one(gathered, level)
        except TooMuchError:
            return self._text(parts)
        if made is None or isinstance(made.back, Text):
            return made or self._text(parts)
        return described(made, described_by(gathered, made.schema), self.subset)

    def _text(self, parts: Sequence[Part]) -> Made:
        self.losses.add(parts[0].pointer, "text", "given as JSON text: its schema is checked by the call alone")
        shown = json.dumps(parts[0].schema, ensure_ascii=False, separators=(",", ":"), default=str)
        schema = f"By this JSON Schema: {shown}" if len(shown) <= SHOWN and "$ref" not in shown else ""
        about = next((text for each in parts if (text := _description(each))), "")
        return text_of(schema or about)

    def _one(self, gathered: Gathered, level: int) -> Made | None:
        """A place without alternatives; None where it can only be given as text."""
        if (values := enumerated(gathered)) is not None:
            return self._joined(self._enumeration(values, gathered))
        kinds = kinds_of(gathered)
        made = [ONLY_NULL if kind == "null" else self._of_kind(kind, gathered, level) for kind in kinds]
        self._untold(gathered)
        sure = [each for each in made if each is not None]
        return self._joined(sure) if sure and len(sure) == len(made) else None

    def _enumeration(self, values: Sequence[Json], gathered: Gathered) -> list[Made]:
        made = enumeration(values, gathered, self.subset, self.bounds.values, self.losses)
        told = [value for each in made for value in each.schema.get("enum", ())]
        self._count(values=len(told), characters=sum(len(str(value)) for value in told))
        return made

    def _of_kind(self, kind: str, gathered: Gathered, level: int) -> Made | None:
        if kind == "object":
            return self._object(gathered, level + 1)
        if kind == "array":
            return self._list(gathered, level + self.subset.lists_are_levels)
        return Made(schema=bounded(kind, gathered, self.subset, self.losses))

    def _union(self, gathered: Gathered, level: int) -> Made | None:
        for choice in gathered.choices:
            if choice.exactly_one and len(choice.branches) > 1:
                self.losses.add(
                    choice.pointer, "one_of", "exactly one of these must fit: that at least one does is told"
                )
        made: list[Made] = []
        for parts in alternatives(gathered):
            meaning = [part for part in parts if not says_nothing(part.schema)]
            try:
                made.append(self._place(meaning or parts[:1], level, gathered.seen))
            except NoValueError:
                continue
        if not made:
            raise NoValueError
        return self._joined(made)

    def _joined(self, made: Sequence[Made]) -> Made | None:
        """One of several. None where it could not be told, on the way back, which one was meant."""
        null = any(each.null for each in made)
        flat = [each for each in _flat(made) if each.schema]
        branches = [each for number, each in enumerate(flat) if each not in flat[:number]]
        if len(branches) < 2:
            only = branches[0] if branches else ONLY_NULL
            return Made(schema=only.schema, back=only.back, null=null)
        if any(clash(one, other, self.definitions.behind) for one, other in combinations(branches, 2)):
            return None
        backs = [(each.schema, each.back) for each in branches]
        back = Union(branches=backs) if any(each is not None for _, each in backs) else None
        return Made(schema={"anyOf": [each.schema for each in branches]}, back=back, null=null)

    def _list(self, gathered: Gathered, level: int) -> Made | None:
        if gathered.first("prefixItems") is not None or level > self.bounds.levels:
            return None
        items = [Part(schema=value, pointer=under(pointer, "items")) for pointer, value in gathered.keywords("items")]
        if not items:
            items = [Part(schema=True, pointer=under(_where(gathered), "items"))]
        try:
            made = self._place(items, level, gathered.seen)
        except NoValueError:
            return None
        made = with_null(made, self.subset) if made.null else made
        schema = {**bounded("array", gathered, self.subset, self.losses), "items": made.schema}
        return Made(schema=schema, back=made.back and Items(back=made.back))

    def _object(self, gathered: Gathered, level: int) -> Made | None:
        found, closed = _members_of(gathered)
        required = {name for _, names in gathered.keywords("required") for name in names}
        if required - found.keys():
            where = next(under(pointer, "required") for pointer, _ in gathered.keywords("required"))
            self.losses.add(where, "invalid", "a required member is none of the members that there may be")
        if level > max(1, self.bounds.levels) or not (found or (closed and self.subset.all_required)):
            return None
        properties: Node = {}
        members: dict[str, Member] = {}
        for name, parts in found.items():
            try:
                made = self._place(parts, level, gathered.seen)
            except NoValueError:
                continue  # nothing can be given there
            legal = self._legal(name, properties)
            absent = self.subset.all_required and name not in required
            if absent and made.null:
                self.losses.add(parts[0].pointer, "null", "a null can't be given: it leaves the member out")
            made = with_null(made, self.subset) if absent or made.null else made
            properties[legal], members[legal] = made.schema, Member(name=name, back=made.back, absent=absent)
        self._told_open(gathered)
        self._count(members=len(properties), characters=sum(map(len, properties)))
        needed = [legal for legal, each in members.items() if self.subset.all_required or each.name in required]
        changed = any(legal != each.name or each.back is not None or each.absent for legal, each in members.items())
        schema = {"type": "object", "properties": properties, **self._closed(needed)}
        return Made(schema=schema, back=Members(members=members) if changed else None)

    def _closed(self, required: Sequence[str]) -> Node:
        if self.subset.all_required:
            return {"required": [*required], "additionalProperties": False}
        return {"required": [*required]} if required else {}

    def _legal(self, name: str, taken: Mapping[str, Json]) -> str:
        return name if self.rules.member is None else legal_name(name, self.rules.member, self.rules.length, taken)

    def _count(self, *, members: int = 0, values: int = 0, characters: int = 0, places: int = 0) -> None:
        self.places += places
        self.members += members
        self.values += values
        self.characters += characters
        most = self.subset
        told = (self.members, self.values, self.characters, self.places)
        if any(count > limit for count, limit in zip(told, (*most.sizes, PLACES), strict=True)):
            raise TooLargeError

    def _told_open(self, gathered: Gathered) -> None:
        for word in ("additionalProperties", "patternProperties"):
            for pointer, value in gathered.keywords(word):
                if value is not False:
                    self.losses.add(under(pointer, word), "members", "only the members that are named can be given")

    def _untold(self, gathered: Gathered) -> None:
        for word in UNTOLD:
            for pointer, _ in gathered.keywords(word):
                self.losses.add(under(pointer, word), "constraint", f"{word!r} is checked by the call alone")


def _flat(made: Sequence[Made]) -> Iterator[Made]:
    """Unions of unions as one."""
    for each in made:
        yield from branches_of(each) if [*each.schema] == ["anyOf"] else (each,)


def _members_of(gathered: Gathered) -> tuple[dict[str, list[Part]], bool]:
    """The members by name, each with all that is said of it, and whether there can be no others."""
    found: dict[str, list[Part]] = {}
    for pointer, properties in gathered.keywords("properties"):
        for name, schema in properties.items():
            found.setdefault(name, []).append(Part(schema=schema, pointer=under(pointer, "properties", name)))
    for pointer, names in gathered.keywords("required"):
        for name in names:
            found.setdefault(name, [Part(schema=True, pointer=under(pointer, "required"))])
    closed = [
        part.schema.get("properties", {})
        for part in gathered.plain
        if is_object(part.schema)
        and part.schema.get("additionalProperties") is False
        and not part.schema.get("patternProperties")
    ]
    return {name: parts for name, parts in found.items() if all(name in each for each in closed)}, bool(closed)


def _description(part: Part) -> str:
    return str(part.schema.get("description") or "") if is_object(part.schema) else ""


def _where(gathered: Gathered) -> str:
    return gathered.plain[0].pointer if gathered.plain else ""
