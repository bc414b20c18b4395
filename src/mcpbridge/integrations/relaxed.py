"""What of a change of a record lets more run without a person's yes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from mcpbridge.integrations.parts import Mode
from mcpbridge.integrations.record import Integration, RestIntegration
from mcpbridge.openapi.access import READS

_RANKS: Final[Mapping[Mode, int]] = {"ask": 0, "default": 1, "auto": 2}


def relaxed(old: Integration | None, new: Integration) -> Sequence[str]:
    """The places in the new record that ask less than the old one did; a new record is compared with the defaults.

    These are `trusted`, the mode of a tool (`tools.approval.NAME`), and an operation written by hand that is said to
    read although its method writes (`operations.NAME.access`).
    """
    places = ["trusted"] if new.trusted and not (old and old.trusted) else []
    before, after = {} if old is None else old.tools.approval, new.tools.approval
    eased = [name for name in {*before, *after} if _rank(after, name) > _rank(before, name)]
    said = _said_to_read(new) - (set() if old is None else _said_to_read(old))
    return [
        *places,
        *sorted(f"tools.approval.{name}" for name in eased),
        *sorted(f"operations.{name}.access" for name in said),
    ]


def _rank(modes: Mapping[str, Mode], name: str) -> int:
    return _RANKS[modes.get(name, "default")]


def _said_to_read(record: Integration) -> set[str]:
    each = record.operations if isinstance(record, RestIntegration) else ()
    return {one.name for one in each if one.access == "read" and one.method not in READS}
