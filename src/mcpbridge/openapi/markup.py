"""A value as simple XML: members are elements, a list is one element an item, null is an empty element."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape

from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.plaintext import Unfit, named, text_of
from mcpbridge.tools import Json

_NAME = re.compile(r"[^\W\d][\w.\-]*")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DEEPEST = 100


def xml_text(root: str, value: Json) -> str:
    """An XML document (XML 1.0) with one root element. Raises: Unfit."""
    items = value if is_list(value) else None
    inner = _element(root, value, 0) if items is None else [f"<{root}>", *_each("item", items, 0), f"</{root}>"]
    return '<?xml version="1.0" encoding="UTF-8"?>' + "".join(inner)


def _element(name: str, value: Json, depth: int) -> Iterator[str]:
    if _NAME.fullmatch(name) is None:
        raise Unfit("member names that XML can hold as elements", "another name")
    if depth > _DEEPEST:
        raise Unfit(f"nesting of at most {_DEEPEST} levels", named(value))
    yield f"<{name}>"
    if is_object(value):
        for member, item in value.items():
            if is_list(item):
                yield from _each(member, item, depth + 1)
            else:
                yield from _element(member, item, depth + 1)
    elif is_list(value):
        yield from _each("item", value, depth + 1)
    else:
        yield _escaped(text_of(value))
    yield f"</{name}>"


def _each(name: str, items: list[Json], depth: int) -> Iterator[str]:
    for item in items:
        yield from _element(name, item, depth)


def _escaped(text: str) -> str:
    if _FORBIDDEN.search(text) is not None:
        raise Unfit("text without control characters (XML 1.0 can't hold them)", named(text))
    return escape(text)
