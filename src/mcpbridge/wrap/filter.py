"""`Filter`: a source of which each caller sees what a rule lets through."""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutinefunction

from mcpbridge.errors import ConfigError
from mcpbridge.source.base import Answer, Hidden, ToolSource, Wrapper
from mcpbridge.tools import Call, Caller, Item, Tool
from mcpbridge.wrap.checks import renamed_check

_RULE = Hidden(code="filtered", message="the filter's rule does not let this caller see it")


class Filter(Wrapper):
    """The tools for which `keep(tool, caller)` gives True; what it hides can't be listed, got or called.

    A rule for tools says nothing of resources, templates and prompts, so without `keep_other` these are hidden: else
    a caller could read as a resource what the rule keeps from it as a tool. Pass `keep_other=lambda item, caller: True`
    where they are meant for everyone.

    Rules are synchronous and quick. A rule that raises, or gives anything but True, hides.

    Raises: ConfigError for a coroutine function.
    """

    def __init__(
        self,
        inner: ToolSource,
        keep: Callable[[Tool, Caller], bool],
        *,
        keep_other: Callable[[Item, Caller], bool] | None = None,
    ) -> None:
        super().__init__(inner)
        for rule in (keep, keep_other):
            if iscoroutinefunction(rule) or iscoroutinefunction(getattr(rule, "__call__", None)):  # noqa: B004 - the method itself is asked
                raise ConfigError(f"the rule {rule!r} of a Filter is a coroutine function: use a plain one")
        self._keep = keep
        self._keep_other = keep_other

    def show(self, item: Item, caller: Caller) -> Item | Hidden:
        if isinstance(item, Tool):
            return _judged(item, self._keep(item, caller))
        if self._keep_other is None:
            return Hidden(
                code="filtered", message="the filter has a rule for tools alone; pass keep_other to show others"
            )
        return _judged(item, self._keep_other(item, caller))

    async def call_item(self, item: Item | None, call: Call) -> Answer:
        return await renamed_check(await self.inner.call(call), self, call.caller)


def _judged(item: Item, kept: object) -> Item | Hidden:
    if kept is True:
        return item
    if kept is False:
        return _RULE
    return Hidden(code="rule_failed", message=f"the filter's rule gave {type(kept).__name__}, not True or False")
