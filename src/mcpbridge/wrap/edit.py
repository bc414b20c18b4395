"""`Edit`: a host's own changes of single tools (rename, re-describe, hide, fix or default an argument)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from mcpbridge.errors import ArgumentProblem, ConfigError, InvalidArguments, ToolNotFound
from mcpbridge.source.base import Answer, Hidden, ToolSource, Wrapper
from mcpbridge.tools import Access, Call, Caller, Item, Json, Kind, Tool
from mcpbridge.wrap.checks import renamed_check


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolEdit:
    """What a host changes of one tool; None leaves a thing as it is.

    name         the new name; the old one is no longer known
    description  replaces the whole description
    access       the host's own word on whether it reads or writes; it counts more than any label
    hidden       takes the tool away, for every caller
    fixed        arguments that are always sent with these values; callers neither see nor set them
    defaults     values for arguments that the caller leaves out; the arguments become optional
    """

    name: str | None = None
    description: str | None = None
    access: Access | None = None
    hidden: bool = False
    fixed: Mapping[str, Json] = field(default_factory=dict[str, Json])
    defaults: Mapping[str, Json] = field(default_factory=dict[str, Json])


class Edit(Wrapper):
    """The source with some tools changed; `edits` go by the inner tool's name. Other kinds pass unchanged.

    A tool that has the new name of another one is hidden: what the host wrote counts more.

    Raises: ConfigError where two edits give the same name, or an argument is both fixed and defaulted.
    """

    def __init__(self, source: ToolSource, edits: Mapping[str, ToolEdit]) -> None:
        super().__init__(source)
        self.edits = dict(edits)
        self._inner_names = _renamed(self.edits)
        for name, edit in self.edits.items():
            if both := sorted(edit.fixed.keys() & edit.defaults.keys()):
                raise ConfigError(f"the edit of {name!r} both fixes and defaults {both[0]!r}: keep one of them")

    def show(self, item: Item, caller: Caller) -> Item | Hidden:
        if not isinstance(item, Tool):
            return item
        edit = self.edits.get(item.name)
        if edit is None or (edit.name is None and item.name in self._inner_names):
            if item.name in self._inner_names:
                return Hidden(code="shadowed", message=f"{self._inner_names[item.name]!r} was renamed to {item.name!r}")
            return item
        if edit.hidden:
            return Hidden(code="edited_away", message="the host hides this tool")
        return replace(
            item,
            name=edit.name or item.name,
            description=item.description if edit.description is None else edit.description,
            access=edit.access or item.access,
            input_schema=_without(item.input_schema, edit),
            fixed={**item.fixed, **edit.fixed},
            extra=_relabelled(item, edit),
        )

    async def inner_key(self, kind: Kind, key: str, caller: Caller) -> str:
        if kind != "tool":
            return key
        inner = self._inner_names.get(key)
        if inner is None and (edit := self.edits.get(key)) and edit.name not in (None, key):
            raise ToolNotFound(key, kind)  # renamed away
        return inner or key

    async def call_item(self, item: Item | None, call: Call) -> Answer:
        edit = self.edits.get(call.name) if call.kind == "tool" else None
        answer = await self.inner.call(call if edit is None else _filled(call, edit))
        return await renamed_check(answer, self, call.caller)


def _filled(call: Call, edit: ToolEdit) -> Call:
    """The call with what the host sends. Raises: InvalidArguments for an argument that the host fixed."""
    if given := sorted(edit.fixed.keys() & call.arguments.keys()):
        raise InvalidArguments([_not_yours(name) for name in given], tool=edit.name or call.name)
    return replace(call, arguments={**edit.defaults, **call.arguments, **edit.fixed})


def _renamed(edits: Mapping[str, ToolEdit]) -> dict[str, str]:
    inner: dict[str, str] = {}
    for name, edit in edits.items():
        if edit.name is None or edit.name == name:
            continue
        if edit.name in inner:
            raise ConfigError(f"{inner[edit.name]!r} and {name!r} are both renamed to {edit.name!r}: choose two names")
        inner[edit.name] = name
    return inner


def _without(schema: Mapping[str, Json], edit: ToolEdit) -> Mapping[str, Json]:
    if not edit.fixed and not edit.defaults:
        return schema
    properties = {
        name: _defaulted(member, edit.defaults[name]) if name in edit.defaults else member
        for name, member in cast("Mapping[str, Json]", schema.get("properties", {})).items()
        if name not in edit.fixed
    }
    settled = edit.fixed.keys() | edit.defaults.keys()
    required = [name for name in schema.get("required", ()) if name not in settled]
    kept = {keyword: value for keyword, value in schema.items() if keyword != "required"}
    return {**kept, "properties": properties, **({"required": required} if required else {})}


def _defaulted(member: Json, value: Json) -> Json:
    kept = cast("dict[str, Json]", member) if isinstance(member, dict) else {}
    return {**kept, "default": value}


def _relabelled(tool: Tool, edit: ToolEdit) -> Mapping[str, Json]:
    if edit.access is None:
        return tool.extra
    reads = edit.access == "read"
    annotations = {**tool.extra.get("annotations", {}), "readOnlyHint": reads}
    if reads:
        annotations["destructiveHint"] = False
    elif tool.access == "read":
        annotations["idempotentHint"] = False  # it was said of a read
    return {**tool.extra, "annotations": annotations}


def _not_yours(name: str) -> ArgumentProblem:
    return ArgumentProblem(path=f"/{name}", expected="no value: the host fixed this argument", got="a value")
