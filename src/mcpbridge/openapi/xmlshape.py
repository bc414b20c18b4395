"""How values of a schema stand in XML, as data: what an XML body is written by.

The reading side makes these from `xml` hints, and hosts make them by hand. What is inside is given by functions
without arguments, since schemas recur: nothing is looked at before a value has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

XmlNode: TypeAlias = Literal["element", "attribute", "text", "cdata", "none"]
Later: TypeAlias = "Callable[[], Xml]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Xml:
    """The shape of one schema's values (OpenAPI 3.1 section 4.8.26, OpenAPI 3.2 section 4.26).

    `node` is what a value becomes; `none` puts what is inside straight into the parent. `name` is None where the
    name comes from where the value stands: its member's, or its list's. A list has `items`, after those that `first`
    gives by their place. `rest` is for members that are not in `members`. Where there are `choices`, the one that
    fits the value best counts. `inner` is a schema of its own inside this element.
    """

    node: XmlNode = "element"
    name: str | None = None
    prefix: str = ""
    namespace: str = ""
    members: Mapping[str, Later] = field(default_factory=dict[str, "Callable[[], Xml]"])
    rest: Later | None = None
    items: Later | None = None
    first: Sequence[Later] = ()
    choices: Sequence[Later] = ()
    inner: Later | None = None
