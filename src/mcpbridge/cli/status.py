"""`mcpbridge status`: how each integration of a configuration is."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from mcpbridge.cli.described import counted, print_json
from mcpbridge.cli.opening import open_configuration, watched
from mcpbridge.cli.outcome import DONE, one_line
from mcpbridge.cli.target import read_configured
from mcpbridge.errors import ConfigError
from mcpbridge.tools import Status


async def status(text: str, *, as_json: bool) -> int:
    """Connects to each integration and shows how it is, at its worst for all users.

    Raises: ConfigError for what is no configuration file.
    """
    target = read_configured(text)
    if target is None:
        raise ConfigError(f"{text!r} is no configuration file: name one that has 'integrations'")
    with watched(f"Connecting to what {target.path.name} names …"):
        async with open_configuration(target) as gateway:
            found = await gateway.own_statuses(connect=True)
    if as_json:
        print_json({name: _told(each) for name, each in found.items()})
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(found))
    return DONE


def _told(status: Status) -> Mapping[str, object]:
    told = {
        "state": status.state,
        "code": status.code,
        "message": status.message,
        "hint": status.hint,
        "since": status.since,
        "nextRetry": status.next_retry,
    }
    return {name: value for name, value in told.items() if value not in ("", None)}


def _lines(found: Mapping[str, Status]) -> Sequence[str]:
    width = max(map(len, found), default=0)
    lines = [one_line(f"{name:{width}}  {each.state:18}  {_why(each)}") for name, each in found.items()]
    failed = sum(each.state in {"failed", "reconnect_required"} for each in found.values())
    return [*lines, f"{counted(len(found), 'integration')}, {failed} failed"]


def _why(status: Status) -> str:
    return " ".join(part for part in (status.message and f"{status.message}.", status.hint) if part)
