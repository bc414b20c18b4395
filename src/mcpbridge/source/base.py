"""`ToolSource` lists and calls; `Wrapper` stands around one and decides with one hook.

A source offers tools, resources, resource templates and prompts. Its base class offers nothing, so that a subclass
writes only what it has. A wrapper covers every kind at once: what `show` hides can't be listed, got or called.
"""

from __future__ import annotations

import logging
from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, cast

from mcpbridge.errors import ToolNotFound
from mcpbridge.tools import Call, Caller, Item, Json, Kind, Status, Tool

if TYPE_CHECKING:
    import mcp_types

    OtherResult: TypeAlias = mcp_types.ReadResourceResult | mcp_types.GetPromptResult | mcp_types.CompleteResult

Answer: TypeAlias = "mcp_types.CallToolResult | mcp_types.InputRequiredResult | OtherResult"
"""What a call may give: the result of its kind, or a question for a person."""

Listener: TypeAlias = Callable[[Kind], None]
"""Called, in the event loop, with the kind whose listing changed."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hidden:
    """A verdict of `Wrapper.show`: this caller does not get to know of the item. The code is stable."""

    code: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What one layer says of an item: the layer's class name, whether it shows the item, and why."""

    layer: str
    allowed: bool
    code: str
    message: str


class ToolSource(ABC):
    """Something that lists and calls. Every method has a default that offers nothing.

    A source is entered once (`async with source:`), by the host or by `serve`, before it is used.
    """

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        """The items of one kind that this caller may see, in a stable order."""
        return ()

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        """One item by its key, in O(1).

        A resource is found by its URI, and where it is not listed, by the template that covers it.

        Raises: ToolNotFound.
        """
        raise ToolNotFound(key, kind)

    async def call(self, call: Call) -> Answer:
        """The answer to a call. What an upstream does wrong is an answer too (see `error_of`).

        Raises: ToolNotFound, InvalidArguments.
        """
        raise ToolNotFound(call.name, call.target()[0])

    async def status(self, caller: Caller | None = None) -> Status:
        """How the source is for one caller, or at its worst for all."""
        return Status()

    def version(self, caller: Caller) -> str:
        """A cache key for this caller: it changes when a listing would. Never compare those of two callers."""
        return ""

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Tells the listener when a listing changed; the function given back ends that."""
        return _nothing

    def holds_until(self, caller: Caller) -> float | None:
        """When this caller's listings change by themselves (the next edge of a time window), in seconds of the epoch.

        None where only what `watch` tells of changes them.
        """
        return None

    async def subscribe(self, uri: str, caller: Caller, listener: Callable[[], None]) -> Callable[[], None]:
        """Tells the listener, in the event loop, when a resource changed; the function given back ends that.

        A source that never hears of changes never tells. A caller who lost sight of the resource is told still: whoever
        passes the news on asks `get` first.

        Raises: ToolNotFound, UpstreamError.
        """
        await self.get("resource", uri, caller)
        return _nothing

    async def explain(
        self, key: str, caller: Caller, arguments: Mapping[str, Json] | None = None, *, kind: Kind = "tool"
    ) -> Sequence[Verdict]:
        """What each layer says of an item for this caller, innermost first; decided by the code that decides."""
        layer = type(self).__name__
        try:
            await self.get(kind, key, caller)
        except ToolNotFound as error:
            return [Verdict(layer=layer, allowed=False, code=error.code, message=f"there is no {kind} {key!r}")]
        return [Verdict(layer=layer, allowed=True, code="found", message=f"offers {kind} {key!r}")]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def list_tools(self, caller: Caller) -> Sequence[Tool]:
        """The tools that this caller may see."""
        return cast("Sequence[Tool]", await self.list("tool", caller))

    async def get_tool(self, name: str, caller: Caller) -> Tool:
        """One tool. Raises: ToolNotFound."""
        return cast("Tool", await self.get("tool", name, caller))

    async def call_tool(self, call: Call) -> Any:
        """The answer to a tool call: `mcp_types.CallToolResult`, or `InputRequiredResult` where a person is asked."""
        return await self.call(call)


class Wrapper(ToolSource):
    """A source around another one, that passes everything on.

    Override `show` to hide or change items, for all kinds and for list, get and call alike. Override `inner_key` as
    well where `show` renames. Override `call_item` to act around a call.
    """

    needs_item: ClassVar[bool] = False
    """Whether `call_item` wants the item (as `show` gives it) even where the wrapper hides nothing."""

    _shows: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._shows = cls.show is not Wrapper.show

    def __init__(self, inner: ToolSource) -> None:
        self.inner = inner

    def show(self, item: Item, caller: Caller) -> Item | Hidden:
        """The item as this caller sees it, or why it does not. Pure and quick; if it raises, the item is hidden."""
        return item

    async def inner_key(self, kind: Kind, key: str, caller: Caller) -> str:
        """The inner source's key for an outer one. Renamers ask the inner source where a name is ambiguous.

        Raises: ToolNotFound for a key that this wrapper never gives.
        """
        return key

    async def call_item(self, item: Item | None, call: Call) -> Answer:
        """The call on the inner source, under the inner name; `item` is None unless `show` or `needs_item` is used."""
        return await self.inner.call(call)

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        items = await self.inner.list(kind, caller)
        if not self._shows:
            return items
        shown = (self._decide(item, caller) for item in items)
        return [item for item in shown if not isinstance(item, Hidden)]

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        try:
            item = await self.inner.get(kind, await self.inner_key(kind, key, caller), caller)
        except ToolNotFound as error:
            raise error.under(key, kind) from None  # the outer name, and the same words as for a hidden item
        shown = self._decide(item, caller) if self._shows else item
        if isinstance(shown, Hidden):
            raise ToolNotFound(key, kind)
        return shown

    async def call(self, call: Call) -> Answer:
        kind, key = call.target()
        item = await self.get(kind, key, call.caller) if self._shows or self.needs_item else None
        inner = await self.inner_key(kind, key, call.caller)
        try:
            return await self.call_item(item, call.renamed(inner))
        except ToolNotFound as error:
            if error.key == inner != key:
                raise error.under(key, kind) from None
            raise

    async def status(self, caller: Caller | None = None) -> Status:
        return await self.inner.status(caller)

    def version(self, caller: Caller) -> str:
        return self.inner.version(caller)

    def watch(self, listener: Listener) -> Callable[[], None]:
        return self.inner.watch(listener)

    def holds_until(self, caller: Caller) -> float | None:
        return self.inner.holds_until(caller)

    async def subscribe(self, uri: str, caller: Caller, listener: Callable[[], None]) -> Callable[[], None]:
        if self._shows:
            await self.get("resource", uri, caller)
        return await self.inner.subscribe(await self.inner_key("resource", uri, caller), caller, listener)

    async def explain(
        self, key: str, caller: Caller, arguments: Mapping[str, Json] | None = None, *, kind: Kind = "tool"
    ) -> Sequence[Verdict]:
        layer = type(self).__name__
        try:
            inner_key = await self.inner_key(kind, key, caller)
        except ToolNotFound as error:
            return [Verdict(layer=layer, allowed=False, code=error.code, message=f"there is no {kind} {key!r}")]
        verdicts = await self.inner.explain(inner_key, caller, arguments, kind=kind)
        if not all(verdict.allowed for verdict in verdicts):
            return verdicts
        item = await self.inner.get(kind, inner_key, caller)
        shown = self._decide(item, caller) if self._shows else item
        if isinstance(shown, Hidden):
            return [*verdicts, Verdict(layer=layer, allowed=False, code=shown.code, message=shown.message)]
        return [*verdicts, Verdict(layer=layer, allowed=True, code="shown", message="passes it on")]

    async def __aenter__(self) -> Self:
        await self.inner.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.inner.__aexit__(kind, error, trace)

    def _decide(self, item: Item, caller: Caller) -> Item | Hidden:
        try:
            return self.show(item, caller)
        except Exception:  # a rule that fails hides: whatever a host's rule raises must not open a door
            logger.exception("%s.show raised for %r: hidden", type(self).__name__, item.key)
            return Hidden(code="rule_failed", message="the rule that decides raised an error")


def _nothing() -> None:
    """Ends a watch that never began."""
