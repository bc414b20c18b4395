"""Which prefix stands for which namespace at one element (Namespaces in XML 1.0).

A namespace is declared at the first element that needs it, and not again inside. A prefix whose namespace nobody
names is left out: a name with it could not be read. `xmlns=""` is never written: an element of which no namespace is
said is in that of the element around it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_START = (
    "A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
NCNAME = re.compile(f"[{_START}][-.0-9\xb7\u0300-\u036f\u203f-\u2040{_START}]*")
"""A name without a colon (XML 1.0 section 2.3, Namespaces in XML 1.0 section 3)."""

XSI = "http://www.w3.org/2001/XMLSchema-instance"
_KNOWN = {"xsi": XSI, "xlink": "http://www.w3.org/1999/xlink"}


class Namespaces:
    """The prefixes at an element, those that hold around it included; the empty prefix is the default namespace."""

    __slots__ = ("_declared", "_used", "bound")

    def __init__(self, around: Mapping[str, str]) -> None:
        self.bound = dict(around)
        self._declared: dict[str, str] = {}
        self._used: set[str] = set()

    def inside(self) -> Mapping[str, str]:
        """What holds for an element inside this one; from here on these prefixes keep their meaning."""
        self._used.update(self.bound)
        return self.bound

    def take(self, prefix: str, uri: str) -> None:
        """Declares what the element itself is in, before anything inside is written."""
        self.element("", prefix, uri)

    def element(self, name: str, prefix: str, uri: str) -> str:
        """The element's name with its prefix."""
        prefix = _fit(prefix)
        if not uri:
            return self._without(name, prefix)
        self._bind(prefix, uri)
        return _joined(prefix, name)

    def attribute(self, name: str, prefix: str, uri: str) -> str:
        """An attribute's name with its prefix: one without a prefix is in no namespace (section 6.2)."""
        prefix = _fit(prefix)
        if not uri:
            return self._without(name, prefix)
        if not prefix or (prefix in self._used and self.bound.get(prefix) != uri):
            prefix = self._other(uri)
        self._bind(prefix, uri)
        return _joined(prefix, name)

    def declarations(self) -> dict[str, str]:
        """The `xmlns` attributes of the element."""
        return {f"xmlns:{prefix}" if prefix else "xmlns": uri for prefix, uri in self._declared.items()}

    def _without(self, name: str, prefix: str) -> str:
        if prefix and prefix not in self.bound and prefix != "xml":
            if prefix not in _KNOWN:
                return name
            self._bind(prefix, _KNOWN[prefix])
        self._used.add(prefix)
        return _joined(prefix, name)

    def _bind(self, prefix: str, uri: str) -> None:
        self._used.add(prefix)
        if self.bound.get(prefix) != uri and prefix != "xml":
            self.bound[prefix] = self._declared[prefix] = uri

    def _other(self, uri: str) -> str:
        """A prefix that stands for the namespace already, or one that is free."""
        for prefix, each in self.bound.items():
            if each == uri and prefix:
                return prefix
        count = 1
        while f"ns{count}" in self.bound:
            count += 1
        return f"ns{count}"


def _fit(prefix: str) -> str:
    """The prefix, unless no element can have it (section 3)."""
    return prefix if NCNAME.fullmatch(prefix) is not None and prefix != "xmlns" else ""


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}:{name}" if prefix else name
