"""`check_source`: what every source and wrapper keeps, those of a host too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import mcp_types

from mcpbridge.errors import BridgeError, ToolNotFound
from mcpbridge.source.base import ToolSource, Wrapper
from mcpbridge.tools import (
    ANYONE,
    Call,
    Caller,
    CallKind,
    Item,
    Json,
    Kind,
    Prompt,
    Resource,
    ResourceTemplate,
    Status,
    Tool,
)

KINDS: Sequence[Kind] = ("tool", "resource", "template", "prompt")

UNKNOWN = ("", "no-such", "slug__no_such", "slug+no:such", "__", "+", "things__", "x" * 300)
"""Keys that no source has."""

STEPS = (0, 1, 2, 3, 5, 8, 13)
"""After how many rounds of the event loop a call is cancelled."""

SECONDS = 1.0
"""How long a cancelled call may take to end."""

_TYPES: Mapping[Kind, type[Item]] = {
    "tool": Tool,
    "resource": Resource,
    "template": ResourceTemplate,
    "prompt": Prompt,
}
_ANSWERS = (
    mcp_types.CallToolResult,
    mcp_types.InputRequiredResult,
    mcp_types.ReadResourceResult,
    mcp_types.GetPromptResult,
    mcp_types.CompleteResult,
)


async def check_source(
    source: ToolSource, caller: Caller = ANYONE, *, calls: Mapping[str, Mapping[str, Json]] | None = None
) -> None:
    """A source that is entered keeps the contract, for this caller.

    - Listings are stable, and what is listed is got: the same item under the same key, of the kind that was asked for.
    - What is unknown is refused in a listing, `get` and `call`, in the same words.
    - What a wrapper hides of the sources inside it is refused like what is unknown.
    - Errors are typed: a call gives an MCP result or raises a BridgeError, whatever its arguments.
    - A call that is cancelled ends as cancelled within a second and leaves no task behind.

    The last two need `calls`, arguments by the tool's name. These are made for real, about a dozen times each, so give
    only what may be repeated. Nothing else is called.

    Raises: AssertionError that says what is not kept.
    """
    __tracebackhide__ = True
    for kind in KINDS:
        await _check_listing(source, kind, caller)
        await _check_hidden(source, kind, caller)
    expect(source.version(caller) == source.version(caller), "version() differs, and nothing changed")
    expect(isinstance(cast("object", await source.status(caller)), Status), "status() gives no Status")
    source.watch(_heard)()
    for name, arguments in (calls or {}).items():
        await _check_answers(source, name, arguments, caller)
        await _check_cancelled(source, Call(name=name, arguments=arguments, caller=caller))


async def check_refused(source: ToolSource, kind: Kind, key: str, caller: Caller = ANYONE) -> None:
    """An item that this caller must not know of: not listed, not got, not called, in the words for an unknown one.

    Raises: AssertionError.
    """
    __tracebackhide__ = True
    expect(key not in await _keys(source, kind, caller), f"{kind} {key!r} is listed")
    await _refused(source, kind, key, caller, via="get")
    for call in calls_for(kind, key, caller):
        await _refused(source, kind, key, caller, via="call", call=call)
    verdicts = await source.explain(key, caller, kind=kind)
    expect(not verdicts[-1].allowed, f"explain() says that {kind} {key!r} is allowed, and it is refused")


def calls_for(kind: Kind, key: str, caller: Caller = ANYONE) -> Sequence[Call]:
    """Every call that reaches the item of this kind and key."""
    ways: Mapping[Kind, Sequence[tuple[CallKind, Mapping[str, Json]]]] = {
        "tool": [("tool", {})],
        "resource": [("resource", {})],
        "template": [("completion", {"ref": "template", "argument": "name", "value": "n"})],
        "prompt": [("prompt", {}), ("completion", {"ref": "prompt", "argument": "who", "value": "w"})],
    }
    return [Call(name=key, kind=way, arguments=arguments, caller=caller) for way, arguments in ways[kind]]


def expect(holds: object, words: str) -> None:
    """Raises: AssertionError with the words, where it does not hold."""
    __tracebackhide__ = True
    if not holds:
        raise AssertionError(words)


async def _check_listing(source: ToolSource, kind: Kind, caller: Caller) -> None:
    items = await source.list(kind, caller)
    keys = [item.key for item in items]
    expect(await _keys(source, kind, caller) == keys, f"two listings of {kind}s in a row differ")
    double = [key for key in keys if keys.count(key) > 1]
    expect(not double, f"{kind}s are listed twice: {sorted({*double})}")
    for item in items:
        expect(isinstance(item, _TYPES[kind]), f"the {kind}s hold a {type(item).__name__}")
        try:
            got = await source.get(kind, item.key, caller)
        except ToolNotFound as error:
            raise AssertionError(f"{kind} {item.key!r} is listed, and get() does not find it") from error
        expect(got == item, f"{kind} {item.key!r} is listed and got in two forms")
        verdicts = await source.explain(item.key, caller, kind=kind)
        expect(verdicts[-1].allowed, f"{kind} {item.key!r} is listed, and explain() says that it is refused")
    for key in UNKNOWN:
        if key not in keys and not await _covered(source, kind, key, caller):
            await check_refused(source, kind, key, caller)


async def _check_hidden(source: ToolSource, kind: Kind, caller: Caller) -> None:
    shown = {*await _keys(source, kind, caller)}
    for inner in _inside(source):
        for key in await _keys(inner, kind, caller):
            if key not in shown and not await _covered(source, kind, key, caller):
                await check_refused(source, kind, key, caller)


def _inside(source: ToolSource) -> Iterator[ToolSource]:
    while isinstance(source, Wrapper):
        source = source.inner
        yield source


async def _covered(source: ToolSource, kind: Kind, key: str, caller: Caller) -> bool:
    """Whether a URI that is not listed may be got all the same, since a template covers it."""
    if kind != "resource" or not await source.list("template", caller):
        return False
    try:
        await source.get(kind, key, caller)
    except ToolNotFound:
        return False
    return True


async def _keys(source: ToolSource, kind: Kind, caller: Caller) -> Sequence[str]:
    return [item.key for item in await source.list(kind, caller)]


async def _refused(
    source: ToolSource, kind: Kind, key: str, caller: Caller, *, via: str, call: Call | None = None
) -> None:
    __tracebackhide__ = True
    what = f"{via}() of {kind} {key!r}, which is not listed,"
    try:
        await (source.get(kind, key, caller) if call is None else source.call(call))
    except ToolNotFound as error:
        words = str(ToolNotFound(key, kind))
        expect(str(error) == words, f"{what} says {str(error)!r}, and an unknown one gets {words!r}")
        return
    except Exception as error:  # a host's source may raise anything
        raise AssertionError(f"{what} raises {type(error).__name__}: raise ToolNotFound(key, kind)") from error
    raise AssertionError(f"{what} gives an answer: what is hidden must not be reached")


async def _check_answers(source: ToolSource, name: str, arguments: Mapping[str, Json], caller: Caller) -> None:
    __tracebackhide__ = True
    for given in (arguments, {}, {**arguments, "no-such-argument": None}, dict.fromkeys(arguments)):
        try:
            answer = cast("object", await source.call(Call(name=name, arguments=given, caller=caller)))
        except BridgeError:
            continue
        except Exception as error:  # a host's source may raise anything
            raise AssertionError(
                f"a call of {name!r} raises {type(error).__name__}: raise a BridgeError, or answer failed(Failure(…))"
            ) from error
        expect(isinstance(answer, _ANSWERS), f"a call of {name!r} gives a {type(answer).__name__}, no MCP result")


async def _check_cancelled(source: ToolSource, call: Call) -> None:
    __tracebackhide__ = True
    for steps in STEPS:
        before = asyncio.all_tasks()
        task = asyncio.ensure_future(source.call(call))
        for _ in range(steps):
            await asyncio.sleep(0)
        ended = task.done()
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=SECONDS)
        expect(done, f"a call of {call.name!r} that is cancelled does not end within {SECONDS:g} s")
        expect(ended or task.cancelled(), f"a call of {call.name!r} that is cancelled goes on: let CancelledError pass")
        left = {each for each in asyncio.all_tasks() - before if each is not task}
        if left:
            _, left = await asyncio.wait(left, timeout=SECONDS)
        expect(not left, f"a call of {call.name!r} that was cancelled leaves tasks: {[t.get_name() for t in left]}")


def _heard(_kind: Kind) -> None:
    """Nothing is done about it."""
