"""Resolves `$ref` (OpenAPI 3.1 section 4.8.23, RFC 6901), lazily, and remembers what it resolved.

Pointers into a document are walked here. Other documents come through one function that the reader of the description
was given, and that refuses what it was not asked to load. Identifiers and anchors (`$id`, `$anchor`, `$self`) are found
by `referencing`, which is imported when the first of them is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import unquote, urljoin

from mcpbridge.errors import DescriptionError
from mcpbridge.openapi.problems import File, Problems, Trail

if TYPE_CHECKING:
    from mcpbridge.openapi.identifiers import Identifiers

CHAIN = 100
"""How many references may lead to one another before there is a value."""

_NOTHING: Any = object()


class Found(NamedTuple):
    """What a reference leads to: the value, the address its own references start from, and where it stands."""

    value: Any
    base: str
    trail: Trail


class References:
    """The documents of one description, by address.

    `base` is the entry's address, `show` shortens addresses for people, `identifies` says whether `$id` is a keyword.
    """

    def __init__(
        self,
        root: Any,
        base: str,
        load: Callable[[str], Any],
        problems: Problems,
        *,
        show: Callable[[str], str] = str,
        identifies: bool = False,
    ) -> None:
        self.base = base
        self.identifies = identifies
        self._roots: dict[str, Any] = {base: root}
        self._load = load
        self._problems = problems
        self._show = show
        self._resolved: dict[tuple[str, str], Found | None] = {}
        self._identifiers: Identifiers | None = None
        self._kept: list[Any] = []

    def resolve(self, ref: str, base: str, trail: Trail) -> Found | None:
        """One step: what `ref` in a document at `base` leads to; None, and a problem at `trail`, where it dangles."""
        key = (base, ref)
        found = self._resolved.get(key, _NOTHING)
        if found is _NOTHING:
            self._resolved[key] = None  # what leads back here while it is looked for leads nowhere
            found = self._resolved[key] = self._find(ref, base, trail)
        return found

    def follow(self, value: Any, base: str, trail: Trail) -> Found | None:
        """The object behind a reference, or a chain of them, that stands for a parameter, a response and the like.

        A `description` beside the reference replaces the one behind it (OpenAPI 3.1 section 4.8.23).
        """
        found = Found(value, base, trail)
        seen = 0
        while isinstance(found.value, dict):
            node = cast("dict[str, Any]", found.value)
            ref = node.get("$ref")
            if not isinstance(ref, str):
                break
            seen += 1
            target = self.resolve(ref, found.base, found.trail) if seen <= CHAIN else None
            if target is None:
                if seen > CHAIN:
                    self._problems.add("error", trail, f"more than {CHAIN} references lead to one another", "left out")
                return None
            found = self._described(node, target)
        return found

    def _described(self, node: Mapping[str, Any], target: Found) -> Found:
        text = node.get("description")
        if not isinstance(text, str) or not isinstance(target.value, dict) or "$ref" in target.value:
            return target
        value = {**cast("dict[str, Any]", target.value), "description": text}
        self._kept.append(value)  # what is remembered by identity has to stay alive
        return target._replace(value=value)

    def _find(self, ref: str, base: str, trail: Trail) -> Found | None:
        address, _, fragment = ref.partition("#")
        try:
            start = self._start(address, base)
            if fragment and not fragment.startswith("/"):
                return self._anchor(start.base, fragment)
            return self._walk(start, fragment) if fragment else start
        except DescriptionError as error:
            self._problems.add("error", trail, f"the reference {ref!r} cannot be resolved: {error}", "left open")
            return None

    def _start(self, address: str, base: str) -> Found:
        """The root of the document or resource at an address relative to `base`."""
        target = urljoin(base, address) if address else base
        if target not in self._roots:
            known = self._known(target)
            self._roots[target] = self._load(target) if known is None else known.value
            if known is not None:
                return known
        trail = None if target == self.base else (None, File(self._show(target)))
        return Found(self._roots[target], target, trail)

    def _known(self, address: str) -> Found | None:
        """What says of itself that it is at this address; asked before anything is loaded from outside."""
        if address.startswith("file:"):
            return None
        value = self._identified().resource(address)
        return None if value is None else Found(value, address, (None, File(self._show(address))))

    def _anchor(self, base: str, name: str) -> Found:
        value = self._identified().anchor(base, unquote(name))
        if value is None:
            raise DescriptionError(f"there is no anchor {name!r}")
        return Found(value, base, (None, File(f"{self._show(base)}#{name}")))

    def _identified(self) -> Identifiers:
        if self._identifiers is None:
            from mcpbridge.openapi.identifiers import Identifiers  # the import budget: few descriptions have any

            self._identifiers = Identifiers(self._roots)
        return self._identifiers

    def _walk(self, start: Found, pointer: str) -> Found:
        value, base, trail = start
        for part in pointer.split("/")[1:]:
            key = (unquote(part) if "%" in part else part).replace("~1", "/").replace("~0", "~")
            while isinstance(value, dict) and key not in value and "$ref" in value:
                through = self.follow(cast("Any", value), base, trail)
                if through is None:
                    raise DescriptionError(f"nothing stands at {pointer!r}")
                value, base, trail = through
            if isinstance(value, dict) and key in value:
                value = cast("dict[str, Any]", value)[key]
                trail = (trail, key)
            elif isinstance(value, list) and key.isdecimal() and int(key) < len(cast("list[Any]", value)):
                value = cast("list[Any]", value)[int(key)]
                trail = (trail, int(key))
            else:
                raise DescriptionError(f"nothing stands at {pointer!r}")
            if self.identifies and isinstance(value, dict):
                base = self.enter(cast("dict[str, Any]", value), base)
        return Found(value, base, trail)

    def enter(self, node: dict[str, Any], base: str) -> str:
        """The address that references inside a schema start from: its `$id`, or the one around it."""
        identifier = node.get("$id")
        if not isinstance(identifier, str) or identifier.startswith("#"):
            return base
        base = urljoin(base, identifier)
        self._roots.setdefault(base, node)
        return base
