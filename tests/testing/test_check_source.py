"""The contract of a source finds what a host's own source or wrapper does wrong, and passes what is right."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest

from contract import Things, text
from mcpbridge import testing
from mcpbridge.errors import Failure, ToolNotFound
from mcpbridge.source.answer import failed
from mcpbridge.source.base import Answer, Hidden, Wrapper
from mcpbridge.tools import ANYONE, Call, Caller, Item, Kind, Resource, Tool
from mcpbridge.upstream.functions import Functions
from mcpbridge.wrap.filter import Filter
from mcpbridge.wrap.prefix import Prefix
from mcpbridge.wrap.validate import Validate

pytestmark = pytest.mark.req("TEST-02")

CALLS: Mapping[str, Mapping[str, Any]] = {"read_it": {}}


class Doing(Things):
    """Things of which a call does what it was told."""

    def __init__(self, do: Callable[[], Awaitable[Any]]) -> None:
        super().__init__()
        self.do = do

    async def call(self, call: Call) -> Answer:
        await self.get(*call.target(), call.caller)
        answer: Answer = await self.do()
        return answer


async def test_a_good_source_and_good_wrappers_pass() -> None:
    for source in (Things(), Prefix(Things(), "a"), Validate(Things()), Filter(Things(), lambda _tool, _caller: False)):
        await testing.check_source(source)
    await testing.check_source(Validate(Things()), calls=CALLS)


async def test_functions_of_a_host_pass_with_their_calls() -> None:
    async def wait(rounds: int) -> str:
        """Waits."""
        for _ in range(rounds):
            await asyncio.sleep(0)
        return "done"

    await testing.check_source(Functions(wait), calls={"wait": {"rounds": 6}})


class ShowsAll(Wrapper):
    """Hides in listings what it gives and calls all the same, as a wrapper without `show` does."""

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        return [item for item in await self.inner.list(kind, caller) if item.key != "write_it"]


async def test_what_is_hidden_in_the_listing_alone_is_found() -> None:
    with pytest.raises(AssertionError, match=r"get\(\) of tool 'write_it', which is not listed, gives an answer"):
        await testing.check_source(ShowsAll(Things()))


async def test_a_hidden_item_that_is_refused_in_other_words_is_found() -> None:
    class Telling(Wrapper):
        def show(self, item: Item, caller: Caller) -> Item | Hidden:
            return Hidden(code="x", message="x") if item.key == "write_it" else item

        async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
            if key == "write_it":
                raise ToolNotFound("write_it (you are not allowed)", kind)
            return await super().get(kind, key, caller)

    with pytest.raises(AssertionError, match="not allowed"):
        await testing.check_source(Telling(Things()))


WRONG: dict[str, tuple[Callable[[Things], None], str]] = {
    "twice": (lambda things: things.change("tool", [Tool(name="a"), Tool(name="a")]), r"listed twice: \['a'\]"),
    "another kind": (lambda things: things.change("tool", [Resource(uri="a")]), "the tools hold a Resource"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_listing_is_found(name: str) -> None:
    things = Things()
    WRONG[name][0](things)
    with pytest.raises(AssertionError, match=WRONG[name][1]):
        await testing.check_source(things)


async def test_a_listing_that_get_does_not_agree_with_is_found() -> None:
    class Forgets(Things):
        async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
            raise ToolNotFound(key, kind)

    class Differs(Things):
        async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
            return Tool(name=key) if key == "read_it" else await super().get(kind, key, caller)

    with pytest.raises(AssertionError, match=r"listed, and get\(\) does not find it"):
        await testing.check_source(Forgets())
    with pytest.raises(AssertionError, match="listed and got in two forms"):
        await testing.check_source(Differs())


async def test_an_unstable_listing_is_found() -> None:
    class Turns(Things):
        async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
            self.items[kind] = [*reversed(self.items[kind])]
            return self.items[kind]

    with pytest.raises(AssertionError, match="two listings of tools in a row differ"):
        await testing.check_source(Turns())


async def test_an_unknown_key_that_ends_in_a_key_error_is_found() -> None:
    class Careless(Things):
        async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
            return {item.key: item for item in self.items[kind]}[key]

    with pytest.raises(AssertionError, match="raises KeyError: raise ToolNotFound"):
        await testing.check_source(Careless())


async def test_errors_that_are_not_typed_are_found() -> None:
    async def fails() -> Any:
        raise OSError("the disk")

    async def gives() -> Any:
        return {"ok": True}

    async def refuses() -> Any:
        return failed(Failure(code="no", message="no"))

    with pytest.raises(AssertionError, match="'read_it' raises OSError: raise a BridgeError"):
        await testing.check_source(Doing(fails), calls=CALLS)
    with pytest.raises(AssertionError, match="gives a dict, no MCP result"):
        await testing.check_source(Doing(gives), calls=CALLS)
    await testing.check_source(Doing(refuses), calls=CALLS)


async def test_a_call_that_swallows_its_cancellation_is_found() -> None:
    async def stubborn() -> Any:
        try:
            for _ in range(10):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            return text("went on")
        return text("done")

    with pytest.raises(AssertionError, match="goes on: let CancelledError pass"):
        await testing.check_source(Doing(stubborn), calls=CALLS)


async def test_a_task_that_a_cancelled_call_leaves_is_found() -> None:
    tasks: list[asyncio.Task[Any]] = []
    never = asyncio.Event()

    async def leaves() -> Any:
        if asyncio.current_task() is not me:
            tasks.append(asyncio.create_task(never.wait(), name="left behind"))
            await asyncio.shield(tasks[-1])
        return text("done")

    me = asyncio.current_task()
    with pytest.raises(AssertionError, match=r"leaves tasks: \['left behind'\]"):
        await testing.check_source(Doing(leaves), calls=CALLS)
    never.set()
    await asyncio.gather(*tasks)


async def test_what_one_caller_sees_is_checked_for_that_caller() -> None:
    source = Filter(Things(), lambda _tool, caller: caller.user == "ada")
    await testing.check_source(source, Caller(user="ada"))
    await testing.check_source(source, ANYONE)
