"""`$id`, `$self`, `$anchor` and `$dynamicAnchor` of a description, found by `referencing`.

A description is no JSON Schema: schemas stand anywhere in it, so that every object is looked at. The registry is given
no way to retrieve anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from referencing import Anchor, Registry, Specification
from referencing.exceptions import NoSuchAnchor, NoSuchResource, Unresolvable


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
            return self._registry.anchor(address, name).value.resource.contents
        except (NoSuchAnchor, NoSuchResource, Unresolvable):
            return None


def _id_of(contents: Any) -> str | None:
    if not isinstance(contents, dict):
        return None
    node = cast("dict[str, Any]", contents)
    named = node.get("$self") if "openapi" in node else node.get("$id")
    return named if isinstance(named, str) and not named.startswith("#") else None


def _parts_of(contents: Any) -> Iterator[Any]:
    """Every object and list inside; one level, the registry goes on from there."""
    inner: Iterable[Any] = (
        cast("dict[str, Any]", contents).values()
        if isinstance(contents, dict)
        else cast("list[Any]", contents)
        if isinstance(contents, list)
        else ()
    )
    return (each for each in inner if isinstance(each, dict | list))


def _anchors_in(specification: Specification[Any], contents: Any) -> Iterator[Anchor[Any]]:
    if not isinstance(contents, dict):
        return
    node = cast("dict[str, Any]", contents)
    for key in ("$anchor", "$dynamicAnchor"):
        if isinstance(name := node.get(key), str):
            yield Anchor(name=name, resource=specification.create_resource(node))


SPECIFICATION: Specification[Any] = Specification(
    name="openapi",
    id_of=_id_of,
    subresources_of=_parts_of,
    maybe_in_subresource=lambda segments, resolver, subresource: resolver,
    anchors_in=_anchors_in,
)
"""How identifiers work in a description of any dialect."""
