"""Resolves `$ref` (OpenAPI 3.1 section 4.8.23, RFC 6901), lazily, and remembers what it resolved.

Pointers into a document are walked here. Other documents come through one function that the reader of the description
was given, and that refuses what it was not asked to load. Identifiers and anchors (`$id`, `$anchor`, `$self`) are found
by `referencing`, which is imported when the first of them is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urljoin

from mcpbridge.errors import DescriptionError
from mcpbridge.openapi.jsontext import is_list, is_object
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
            self._resolved[key] = self._find(ref, base, trail)
        return self._resolved[key]

    def follow(self, value: Any, base: str, trail: Trail) -> Found | None:
        """The object behind a reference, or a chain of them, that stands for a parameter, a response and the like.

        What stands beside the reference is put over what is behind it.
        """
        found = Found(value, base, trail)
        seen = 0
        while is_object(found.value):
            node = found.value
            ref = node.get("$ref")
            if not isinstance(ref, str):
                break
            seen += 1
            target = self.resolve(ref, found.base, found.trail) if seen <= CHAIN else None
            if target is None:
                if seen > CHAIN:
                    self._problems.add("error", trail, f"more than {CHAIN} references lead to one another", "left out")
                return None
            found = self._beside(node, target, found.trail)
        return found

    def _beside(self, node: Mapping[str, Any], target: Found, trail: Trail) -> Found:
        """What stands beside a reference: its `description` counts (OpenAPI 3.1 section 4.8.23); other members should
        not be there, and since 3.1 authors mean them to count as they do in schemas.
        """
        if len(node) == 1 or not is_object(target.value) or "$ref" in target.value:
            return target
        allowed = node.keys() - {"$ref"} if self.identifies else node.keys() & {"description"}
        if not allowed:
            return target
        if not allowed <= {"description", "summary"}:
            beside = ", ".join(sorted(allowed - {"description", "summary"}))
            self._problems.add("note", trail, f"beside a reference stands {beside}", "read over what it leads to")
        value = {**target.value, **{key: node[key] for key in allowed}}
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
            from mcpbridge.openapi.identifiers import Identifiers  # noqa: PLC0415 - the import budget: few have any

            self._identifiers = Identifiers(self._roots)
        return self._identifiers

    def _walk(self, start: Found, pointer: str) -> Found:
        value, base = start.value, start.base
        trail: Trail = start.trail
        for part in pointer.split("/")[1:]:
            key = (unquote(part) if "%" in part else part).replace("~1", "/").replace("~0", "~")
            if is_object(value) and key not in value and isinstance(value.get("$ref"), str):
                through = self.follow(value, base, trail)
                if through is None:
                    raise DescriptionError(f"nothing stands at {pointer!r}")
                value, base, trail = through.value, through.base, through.trail
            step = _index(value, key)
            if step is None:
                raise DescriptionError(f"nothing stands at {pointer!r}")
            trail = (trail, step)
            value = _part(value, step)
            if self.identifies and is_object(value):
                base = self.enter(value, base)
        return Found(value, base, trail)

    def enter(self, node: dict[str, Any], base: str) -> str:
        """The address that references inside a schema start from: its `$id`, or the one around it."""
        identifier = node.get("$id")
        if not isinstance(identifier, str) or identifier.startswith("#"):
            return base
        base = urljoin(base, identifier)
        self._roots.setdefault(base, node)
        return base


def _index(value: Any, key: str) -> str | int | None:
    """What a pointer's part means in a value; None where there is no such part (RFC 6901 section 4)."""
    if is_object(value):
        return key if key in value else None
    return int(key) if is_list(value) and key.isdecimal() and int(key) < len(value) else None


def _part(value: Any, step: str | int) -> Any:
    return value[step]
