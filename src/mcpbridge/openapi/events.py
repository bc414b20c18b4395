"""Streams of events, `text/event-stream` (HTML section 9.2.6, OpenAPI 3.2 section 4.14.3): read and written whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.plaintext import Unfit, json_text, named, text_of
from mcpbridge.tools import Json

_ENDS = re.compile(r"\r\n|\n|\r")
_FIELDS = ("event", "id", "retry", "data")


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One event: its data, and its name where it has one."""

    data: str
    name: str = ""


def read_events(text: str) -> Sequence[Event]:
    """The events of a stream that has ended; the last one counts without an empty line after it, too."""
    return [*_events(text)]


def _events(text: str) -> Iterator[Event]:
    data: list[str] = []
    name = ""
    for line in [*_ENDS.split(text), ""]:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield Event(data="\n".join(data), name=name)
            data, name = [], ""
        elif field == "data":
            data.append(value)
        elif field == "event":
            name = value


def events_text(value: Json) -> str:
    """A list of events as a stream. One is an object of `data`, `event`, `id` and `retry`; anything else is data alone.

    Raises: Unfit.
    """
    items = value if is_list(value) else [value]
    return "".join("".join(f"{line}\n" for line in _lines(item)) + "\n" for item in items)


def _lines(item: Json) -> Iterator[str]:
    event = item if is_object(item) and item.keys() <= set(_FIELDS) and item else {"data": item}
    for field in _FIELDS:
        if event.get(field) is None:
            continue
        text = json_text(event[field]) if isinstance(event[field], list | dict) else text_of(event[field])
        lines = _ENDS.split(text)
        if field != "data" and (len(lines) > 1 or "\0" in text):
            raise Unfit(f"an event whose {field!r} is one line", named(text))
        yield from (f"{field}: {line}" for line in lines)
