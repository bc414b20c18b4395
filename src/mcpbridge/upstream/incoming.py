"""What comes from an upstream, bounded and repaired before the SDK reads it.

One illegal item fails a whole listing in `mcp.Client`. Here it is taken out and reported, and the others stay.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from operator import is_
from types import TracebackType
from typing import Any, Final, Self, cast

import anyio
from mcp.client import Transport
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCResponse
from mcp_types.methods import serialize_server_result
from pydantic import ValidationError

from mcpbridge.tools import Json, Kind

LISTS: Final[Mapping[str, tuple[Kind, str]]] = {
    "tools": ("tool", "tools/list"),
    "resources": ("resource", "resources/list"),
    "resourceTemplates": ("template", "resources/templates/list"),
    "prompts": ("prompt", "prompts/list"),
}
"""The member of a result that makes it a listing, its kind and its method."""

Report = Callable[[Kind, Sequence[str]], None]
"""Told which items of a page were left out, by name."""


def repaired(result: Mapping[str, Json], version: str, report: Report) -> Mapping[str, Json]:
    """A result without the items of a listing that its protocol version does not allow, and without strange hints."""
    for member, (kind, method) in LISTS.items():
        found: Json = result.get(member)
        if isinstance(found, list):
            given = cast("list[object]", found)
            listed = [_plainly_hinted(item) for item in given]
            if _is_legal(method, version, member, listed):
                return result if all(map(is_, listed, given)) else {**result, member: listed}
            legal = [_is_legal(method, version, member, [item]) for item in listed]
            report(kind, [_name(item) for item, good in zip(listed, legal, strict=True) if not good])
            return {**result, member: [item for item, good in zip(listed, legal, strict=True) if good]}
    return result


def shortened(result: Mapping[str, Json], most: int) -> Mapping[str, Json]:
    """A result with at most so many items of a listing: looking at fifty thousand would hold everybody up."""
    for member in LISTS:
        found: Json = result.get(member)
        if isinstance(found, list) and len(cast("list[object]", found)) > most:
            return {**result, member: found[:most]}
    return result


def _plainly_hinted(item: Json) -> Json:
    """The item without hints that are no booleans: the SDK would read the text "true" as a yes."""
    if not isinstance(item, dict):
        return item
    listed = cast("Mapping[str, Json]", item)
    annotations: Json = listed.get("annotations")
    if not isinstance(annotations, dict):
        return listed
    given = cast("Mapping[str, Json]", annotations)
    kept = {name: hint for name, hint in given.items() if not name.endswith("Hint") or isinstance(hint, bool)}
    return listed if len(kept) == len(given) else {**listed, "annotations": kept}


def _is_legal(method: str, version: str, member: str, items: Sequence[Json]) -> bool:
    result = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private", member: items}
    try:
        serialize_server_result(method, version, result)
    except (ValidationError, RecursionError):
        return False
    return True


def _name(item: Json) -> str:
    if not isinstance(item, dict):
        return "?"
    shown = cast("Mapping[str, Json]", item)
    return str(shown.get("name", shown.get("uri", "?")))[:80]


@asynccontextmanager
async def watched(
    transport: AbstractAsyncContextManager[Any] | Transport,
    repair: Callable[[Mapping[str, Json]], Mapping[str, Json]],
    ended: Callable[[], None],
) -> AsyncGenerator[Any]:
    """The transport's streams, with results repaired. `ended` is called when nothing will come any more."""
    async with transport as (read, write):
        yield Incoming(read, repair, ended), write


class Incoming:
    """A read stream of the SDK's (`mcp.shared` calls the protocol `ReadStream`) around another one."""

    def __init__(
        self, inner: Any, repair: Callable[[Mapping[str, Json]], Mapping[str, Json]], ended: Callable[[], None]
    ) -> None:
        self._inner = inner
        self._repair = repair
        self._ended = ended

    @property
    def last_context(self) -> Any:
        """The context of whoever sent the last message, where the transport keeps it."""
        return getattr(self._inner, "last_context", None)

    async def receive(self) -> SessionMessage | Exception:
        """The next message."""
        try:
            message: SessionMessage | Exception = await self._inner.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._ended()
            raise
        if isinstance(message, SessionMessage) and isinstance(message.message, JSONRPCResponse):
            response = message.message
            result = self._repair(response.result)
            if result is not response.result:
                message.message = response.model_copy(update={"result": dict(result)})
        return message

    async def aclose(self) -> None:
        """Closes the inner stream."""
        await self._inner.aclose()

    def close(self) -> None:
        """Closes the inner stream at once."""
        self._inner.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
