"""A value as an XML document (XML 1.0), in the shape that a schema's `xml` hints give it.

Without hints, members are elements, and a list is one element an item. Members stand in the order of the schema,
which the standard leaves open and many servers want; null is an element with `xsi:nil`, and no attribute at all
(OpenAPI 3.2 section 4.26.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from xml.sax.saxutils import escape, quoteattr

from mcpbridge.openapi.jsontext import is_container, is_list, is_object
from mcpbridge.openapi.namespaces import NCNAME, XSI, Namespaces
from mcpbridge.openapi.operation import Encoding
from mcpbridge.openapi.plaintext import Unfit, named, text_of
from mcpbridge.openapi.xmlshape import Later, Xml
from mcpbridge.tools import Json

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPACE = re.compile(r"[ \t\r\n]")
_DEEPEST = 100
_HOPS = 3
_ANY = Xml()


def xml_text(shape: Xml, value: Json, *, name: str = "root", charset: str = "UTF-8") -> str:
    """A document with one root element; `name` is the root's where the shape has none. Raises: Unfit."""
    shape, outside = _settled(shape, value), _Element({}, 0)
    if is_list(value) and shape.items is None:
        shape = replace(shape, node="none", items=lambda: _ANY)
    if shape.items is not None and shape.node == "none":
        _element(shape, value, name, outside, below="item")
    else:
        _write(shape if shape.node == "none" else replace(shape, node="element"), value, name, outside)
    if outside.elements != 1 or len(outside.children) != 1 or outside.attributes:
        raise Unfit("a value that becomes one XML element", named(value))
    return f'<?xml version="1.0" encoding="{charset}"?>{outside.children[0]}'


def part_text(encoding: Encoding, name: str, value: Json) -> str | None:
    """An object that is an XML document inside a form; None for all that is not. Raises: Unfit.

    Where nothing names its element, the one member that it has is the document (OpenAPI 3.2 section 4.24.4.2), and
    with several the member of the form gives the name.
    """
    if encoding.xml is None or not is_object(value):
        return None
    alone = encoding.xml.name is None and len(value) == 1 and not any(map(is_list, value.values()))
    return xml_text(replace(encoding.xml, node="none") if alone else encoding.xml, value, name=name)


class _Element:
    """What stands in one element: attributes, and children in their order."""

    __slots__ = ("attributes", "children", "depth", "elements", "namespaces")

    def __init__(self, bound: Mapping[str, str], depth: int) -> None:
        self.attributes: dict[str, str] = {}
        self.children: list[str] = []
        self.elements = 0
        self.depth = depth
        self.namespaces = Namespaces(bound)

    def attribute(self, shape: Xml, name: str, text: str) -> None:
        qualified = self.namespaces.attribute(_checked(name), shape.prefix, shape.namespace)
        if qualified in self.attributes:
            raise Unfit("members that become different attributes", f"two that become {name[:60]!r}")
        self.attributes[qualified] = _printable(text)

    def text(self, text: str) -> None:
        if text:
            self.children.append(escape(_printable(text), {"\r": "&#13;"}))

    def cdata(self, text: str) -> None:
        """A CDATA section, which has to end where its text has `]]>`, or a line end that a parser would change."""
        safe = _printable(text).replace("]]>", "]]]]><![CDATA[>").replace("\r", "]]>&#13;<![CDATA[")
        self.children.append(f"<![CDATA[{safe}]]>")

    def opened(self, value: Json) -> _Element:
        """A new element inside this one, not yet written."""
        if self.depth >= _DEEPEST:
            raise Unfit(f"nesting of at most {_DEEPEST} levels", named(value))
        return _Element(self.namespaces.inside(), self.depth + 1)

    def close(self, inside: _Element, shape: Xml, name: str) -> None:
        """Writes an element that was opened here."""
        tag = inside.namespaces.element(_checked(name), shape.prefix, shape.namespace)
        attributes = {**inside.namespaces.declarations(), **inside.attributes}
        written = "".join(f" {each}={quoteattr(text)}" for each, text in attributes.items())
        self.children.append(f"<{tag}{written}>{''.join(inside.children)}</{tag}>")
        self.elements += 1


def _write(shape: Xml, value: Json, place: str, into: _Element) -> None:
    """Writes one value into an element; `place` names it where its shape does not."""
    shape = _settled(shape, value)
    if shape.node == "attribute":
        if value is not None:
            into.attribute(shape, shape.name or place, _words(value))
    elif shape.node == "text":
        into.text(_words(value))
    elif shape.node == "cdata":
        into.cdata(_words(value))
    elif shape.node == "none":
        _inside(shape, value, place, into)
    elif is_list(value) and shape.items is None:
        for item in value:
            _element(_nested(shape, item), item, place, into)
    else:
        _element(shape, value, place, into)


def _element(shape: Xml, value: Json, place: str, into: _Element, below: str | None = None) -> None:
    """Writes one value as an element; `below` names what is in a list, else the element's own name does."""
    name = shape.name or place
    inside = into.opened(value)
    inside.namespaces.take(shape.prefix, shape.namespace)
    if value is None:
        inside.attributes[inside.namespaces.attribute("nil", "xsi", XSI)] = "true"
    elif shape.inner is not None:
        _write(shape.inner(), value, name, inside)
    else:
        _inside(shape, value, below or name, inside)
    into.close(inside, shape, name)


def _inside(shape: Xml, value: Json, place: str, into: _Element) -> None:
    """What is in a value, without an element for the value itself."""
    if shape.items is not None:
        for index, item in enumerate(_listed(value)):
            each = shape.first[index] if index < len(shape.first) else shape.items
            _write(_nested(each(), item), item, place, into)
    elif is_object(value):
        for member, each in _in_order(shape, value):
            _write(each(), value[member], member, into)
    elif is_list(value):
        for item in value:
            _write(_ANY, item, place, into)
    else:
        into.text(text_of(value))


def _nested(shape: Xml, item: Json) -> Xml:
    """The shape of a list's item, which stays a list of its own where no schema says what it is."""
    unsaid = is_list(item) and shape.items is None and shape.node == "element" and not shape.choices
    return replace(shape, items=lambda: _ANY) if unsaid else shape


def _listed(value: Json) -> list[Json]:
    if is_list(value):
        return value
    return [] if value is None else [value]


def _in_order(shape: Xml, value: Mapping[str, Json]) -> Iterator[tuple[str, Later]]:
    for member, each in shape.members.items():
        if member in value:
            yield member, each
    for member in value:
        if member not in shape.members:
            yield member, shape.rest or (lambda: _ANY)


def _settled(shape: Xml, value: Json, hops: int = _HOPS) -> Xml:
    """The shape with the choice that fits the value best; the first of those that fit as well."""
    if not shape.choices or not hops:
        return shape
    best = max((_settled(each(), value, hops - 1) for each in shape.choices), key=lambda each: _fit(each, value))
    return replace(
        best,
        node=best.node if shape.node == "element" else shape.node,
        name=shape.name or best.name,
        prefix=shape.prefix or best.prefix,
        namespace=shape.namespace or best.namespace,
        members={**best.members, **shape.members},
    )


def _fit(shape: Xml, value: Json) -> int:
    if is_object(value):
        return sum(1 if member in shape.members else -1 for member in value) if shape.items is None else -len(value)
    return int((shape.items is not None) == is_list(value) and not shape.members)


def _words(value: Json) -> str:
    """One value as text; a list as words with spaces between them (XML Schema part 2, section 2.5.1.2)."""
    if not is_list(value):
        if is_container(value):
            raise Unfit("a single value (the description makes it text or an attribute in XML)", named(value))
        return text_of(value)
    words = [text_of(item) for item in value]
    if any(is_container(item) for item in value) or any(not word or _SPACE.search(word) for word in words):
        raise Unfit("a list of values without spaces (the description makes it one text in XML)", named(value))
    return " ".join(words)


def _checked(name: str) -> str:
    if NCNAME.fullmatch(name) is None:
        raise Unfit("member names that XML can hold as elements and attributes", f"the name {name[:60]!r}")
    return name


def _printable(text: str) -> str:
    if _FORBIDDEN.search(text) is not None:
        raise Unfit("text without control characters (XML 1.0 can't hold them)", named(text))
    return text
