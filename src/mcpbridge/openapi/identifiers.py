"""`$id`, `$self`, `$anchor` and `$dynamicAnchor` of a description, found by `referencing`.

A description is no JSON Schema: schemas stand anywhere in it, so that every object is looked at. The registry is given
no way to retrieve anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from referencing import Anchor, Registry, Specification
from referencing.exceptions import NoSuchAnchor, NoSuchResource, Unresolvable

from mcpbridge.openapi.jsontext import is_list, is_object

_specification = cast("Callable[..., Specification[Any]]", Specification)  # mypy does not see what attrs makes
_anchor = cast("Callable[..., Anchor[Any]]", Anchor)


class Identifiers:
    """What documents say of the addresses and names of their parts. `roots` are the documents by address."""

    def __init__(self, roots: Mapping[str, Any]) -> None:
        registry: Registry[Any] = Registry()
        for address, root in roots.items():
            registry = registry.with_resource(address, SPECIFICATION.create_resource(root))
        self._registry = registry.crawl()

    def resource(self, address: str) -> Any:
        """The part that has this address, or None."""
        try:
            return self._registry.contents(address)
        except NoSuchResource:
            return None

    def anchor(self, address: str, name: str) -> Any:
        """The schema that has this anchor in the resource at an address, or None."""
        try:
            return self._registry.anchor(address, name).value.resolve(self._registry.resolver(address)).contents
        except (NoSuchAnchor, NoSuchResource, Unresolvable):
            return None


def _id_of(contents: Any) -> str | None:
    if not is_object(contents):
        return None
    node = contents
    named = node.get("$self") if "openapi" in node else node.get("$id")
    return named if isinstance(named, str) and not named.startswith("#") else None


def _parts_of(contents: Any) -> Iterator[Any]:
    """Every object and list inside; one level, the registry goes on from there."""
    inner: Iterable[Any] = contents.values() if is_object(contents) else contents if is_list(contents) else ()
    return iter([each for each in inner if is_object(each) or is_list(each)])


def _anchors_in(specification: Specification[Any], contents: Any) -> Iterator[Anchor[Any]]:
    if not is_object(contents):
        return
    node = contents
    for key in ("$anchor", "$dynamicAnchor"):
        if isinstance(name := node.get(key), str):
            yield _anchor(name=name, resource=specification.create_resource(node))


def _same_resolver(_segments: Any, resolver: Any, _subresource: Any) -> Any:
    return resolver


SPECIFICATION = _specification(
    name="openapi",
    id_of=_id_of,
    subresources_of=_parts_of,
    maybe_in_subresource=_same_resolver,
    anchors_in=_anchors_in,
)
"""How identifiers work in a description of any dialect."""
