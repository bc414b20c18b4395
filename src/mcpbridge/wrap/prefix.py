"""`Prefix`: a source whose items stand under a slug."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from mcpbridge.errors import ToolNotFound
from mcpbridge.source.base import Answer, ToolSource, Wrapper
from mcpbridge.tools import Call, Caller, Item, Kind, Origin, Prompt, Resource, ResourceTemplate, Tool
from mcpbridge.wrap.checks import renamed_check
from mcpbridge.wrap.links import outward
from mcpbridge.wrap.naming import CUT, check_slug, public_key, separator


class Prefix(Wrapper):
    """The source's tools and prompts as `slug__name`, its resources and templates as `slug+uri`.

    Tool names match `^[a-zA-Z0-9_-]{1,64}$`: one that would not is cut and gets a hash. Where a cut name equals the
    name of another tool, neither is offered, since a call could mean both.

    Raises: ConfigError for a slug that is none.
    """

    remembered: ClassVar[int] = 50_000
    """How many renamed items, and how many cut names, are kept before they are forgotten and made afresh."""

    def __init__(self, inner: ToolSource, slug: str) -> None:
        super().__init__(inner)
        self.slug = check_slug(slug)
        self._renamed: dict[tuple[Kind, str], tuple[Item, Item]] = {}
        self._cut: dict[str, frozenset[str]] = {}
        self._learned: set[tuple[object, ...]] = set()

    def show(self, item: Item, caller: Caller) -> Item:
        place = (_kind(item), item.key)
        known = self._renamed.get(place)
        if known is not None and known[0] is item:
            return known[1]
        if len(self._renamed) >= self.remembered:
            self._renamed.clear()
        shown = _rename(item, self.slug)
        self._renamed[place] = (item, shown)
        return shown

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        items = await self.inner.list(kind, caller)
        shown = [self.show(item, caller) for item in items]
        cut = self._learn(items, shown, caller) if kind == "tool" else None
        if not cut:
            return shown
        twice = {key for key, times in Counter(item.key for item in shown).items() if times > 1}
        twice |= {key for key in cut if await self._offers(key[len(self.slug) + 2 :], caller)}
        return [item for item in shown if item.key not in twice]

    async def inner_key(self, kind: Kind, key: str, caller: Caller) -> str:
        start = f"{self.slug}{separator(kind)}"
        if not key.startswith(start):
            raise ToolNotFound(key, kind)
        rest = key[len(start) :]
        if kind != "tool":
            return rest
        if CUT.fullmatch(key):
            return await self._uncut(key, rest, caller)
        if self._names(rest) != key:
            raise ToolNotFound(key, kind)
        return rest

    async def call_item(self, item: Item | None, call: Call) -> Answer:
        answer = await self.inner.call(call)
        return await renamed_check(outward(answer, self.slug), self, call.caller)

    async def _uncut(self, key: str, rest: str, caller: Caller) -> str:
        """The one tool behind a name that looks cut. Raises: ToolNotFound where there is none, or more than one."""
        if key not in self._cut and self._lesson(caller) not in self._learned:
            items = await self.inner.list("tool", caller)
            self._learn(items, [self.show(item, caller) for item in items], caller)
        behind = self._cut.get(key, frozenset[str]()) | {rest}
        found = [name for name in behind if self._names(name) == key and await self._offers(name, caller)]
        if len(found) != 1:
            raise ToolNotFound(key)
        return found[0]

    def _names(self, name: str) -> str:
        return public_key("tool", self.slug, name)

    async def _offers(self, name: str, caller: Caller) -> bool:
        try:
            await self.inner.get("tool", name, caller)
        except ToolNotFound:
            return False
        return True

    def _lesson(self, caller: Caller) -> tuple[object, ...]:
        return (*caller.key(), caller.environment, caller.teams, caller.roles, self.inner.version(caller))

    def _learn(self, items: Sequence[Item], shown: Sequence[Item], caller: Caller) -> frozenset[str]:
        """Remembers which names of a listing were cut, for the way back; gives their public form."""
        start = f"{self.slug}__"
        cut = [(new.key, old.key) for old, new in zip(items, shown, strict=True) if new.key != start + old.key]
        if len(self._cut) + len(cut) > self.remembered or len(self._learned) >= self.remembered:
            self._cut.clear()
            self._learned.clear()
        for key, name in cut:
            self._cut[key] = self._cut.get(key, frozenset()) | {name}
        self._learned.add(self._lesson(caller))
        return frozenset(key for key, _ in cut)


def _kind(item: Item) -> Kind:
    match item:
        case Tool():
            return "tool"
        case Resource():
            return "resource"
        case ResourceTemplate():
            return "template"
        case Prompt():
            return "prompt"


def _rename(item: Item, slug: str) -> Item:
    origin = item.origin if item.origin.slug else replace(item.origin, slug=slug)
    named: Origin = origin if origin.name else replace(origin, name=item.key)
    key = public_key(_kind(item), slug, item.key)
    match item:
        case Tool() | Prompt():
            return replace(item, name=key, origin=named)
        case Resource():
            return replace(item, uri=key, origin=named, name=item.name or item.uri)
        case ResourceTemplate():
            return replace(item, uri_template=key, origin=named, name=item.name or item.uri_template)
