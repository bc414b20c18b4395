"""What changed in the labels of a tool (MCP 2026-07-28, `ToolAnnotations`) and in what it is shown with. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias, cast

from mcpbridge.compare.changes import Effect
from mcpbridge.tools import Json, Tool

Finding: TypeAlias = tuple[Effect, str, str]
"""An effect, a JSON pointer into the tool, and what changed in words."""


class _Label(NamedTuple):
    """What a label means where it is left out, and which value lets more happen unasked."""

    default: bool
    milder: bool
    of_writes: bool = False


LABELS: Mapping[str, _Label] = {
    "readOnlyHint": _Label(default=False, milder=True),
    "destructiveHint": _Label(default=True, milder=False, of_writes=True),
    "idempotentHint": _Label(default=False, milder=True, of_writes=True),
    "openWorldHint": _Label(default=True, milder=False),
}
"""The labels with their defaults; those of writes mean nothing for a tool that only reads."""


def compare_labels(old: Tool, new: Tool) -> Iterator[Finding]:
    """What the access and the labels of a tool say otherwise; a label is lowered where less would be asked for it."""
    if old.access != new.access:
        lowered: Effect = "access_lowered" if new.access == "read" else "compatible"
        yield (lowered, "/annotations/readOnlyHint", f"said that it {old.access}s, says that it {new.access}s")
    for name, label in LABELS.items():
        before, after = _said(old, name, default=label.default), _said(new, name, default=label.default)
        if before == after or (name == "readOnlyHint" and old.access != new.access):
            continue
        if label.of_writes and (_reads(old) or _reads(new)):
            continue
        effect: Effect = "access_lowered" if after == label.milder else "compatible"
        yield (effect, f"/annotations/{name}", f"{name} was {_word(before)}, is {_word(after)}")


def compare_words(old: Tool, new: Tool) -> Iterator[Finding]:
    """What else a tool is shown with: its title, icons, metadata, and members of its labels that are no label."""
    if old.description != new.description:
        yield ("text", "/description", "the description reads otherwise")
    for name in sorted({*old.extra, *new.extra} - {"annotations"}):
        if old.extra.get(name) != new.extra.get(name):
            yield ("text", f"/{name}", f"{name} reads otherwise")
    before, after = _annotations(old), _annotations(new)
    for name in sorted({*before, *after} - LABELS.keys()):
        if before.get(name) != after.get(name):
            yield ("text", f"/annotations/{name}", f"{name} reads otherwise")


def _said(tool: Tool, name: str, *, default: bool) -> bool:
    said = _annotations(tool).get(name)
    return said if isinstance(said, bool) else default


def _reads(tool: Tool) -> bool:
    return tool.access == "read" or _said(tool, "readOnlyHint", default=False)


def _annotations(tool: Tool) -> Mapping[str, Json]:
    said = tool.extra.get("annotations")
    return cast("Mapping[str, Json]", said) if isinstance(said, Mapping) else {}


def _word(value: bool) -> str:  # noqa: FBT001 - the value itself is shown
    return str(value).lower()
