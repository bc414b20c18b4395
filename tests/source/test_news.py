"""News of a source: who may subscribe to a resource, and when listings change by themselves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contract import Things
from mcpbridge.errors import ToolNotFound
from mcpbridge.router import Router
from mcpbridge.source.base import Hidden, ToolSource, Wrapper
from mcpbridge.tools import ANYONE, Caller, ClientChannel, Item

NOTES = "file:///notes.txt"


class Told(Things):
    """Tells of its resources, and knows when its listings change."""

    def __init__(self, edge: float | None = None) -> None:
        super().__init__()
        self.edge = edge
        self.heard: dict[str, Callable[[], None]] = {}

    def holds_until(self, caller: Caller) -> float | None:
        return self.edge

    async def subscribe(self, uri: str, caller: Caller, listener: Callable[[], None]) -> Callable[[], None]:
        self.heard[uri] = listener
        return self.heard.clear


class Hide(Wrapper):
    def show(self, item: Item, caller: Caller) -> Item | Hidden:
        return Hidden(code="mine", message="not for you")


class Failing(ToolSource):
    def holds_until(self, caller: Caller) -> float | None:
        raise LookupError("the clock")


@pytest.mark.req("UP-07")
async def test_a_subscription_goes_to_the_inner_uri_and_ends_there() -> None:
    told, times = Told(), list[int]()
    source = Router({"a": Wrapper(told), "b": Told()})
    end = await source.subscribe(f"a+{NOTES}", ANYONE, lambda: times.append(1))
    told.heard[NOTES]()
    assert times == [1]
    end()
    assert not told.heard


@pytest.mark.req("VIS-01")
async def test_a_hidden_resource_cannot_be_subscribed_to() -> None:
    told = Told()
    with pytest.raises(ToolNotFound):
        await Hide(told).subscribe(NOTES, ANYONE, lambda: None)
    assert not told.heard


async def test_a_source_that_never_tells_takes_subscriptions_to_what_it_has() -> None:
    end = await Things().subscribe(NOTES, ANYONE, lambda: None)
    end()
    with pytest.raises(ToolNotFound):
        await Things().subscribe("file:///other.txt", ANYONE, lambda: None)


def test_listings_hold_until_the_first_edge_of_any_source() -> None:
    source = Wrapper(Router({"a": Told(30.0), "b": Wrapper(Told(20.0)), "c": Told()}))
    assert source.holds_until(ANYONE) == 20.0
    assert Router({"a": Told()}).holds_until(ANYONE) is None


def test_a_source_that_cannot_tell_until_when_is_good_for_no_time(caplog: pytest.LogCaptureFixture) -> None:
    assert Router({"a": Failing(), "b": Told(20.0)}).holds_until(ANYONE) == 0.0
    assert "did not tell" in caplog.text


def test_a_channel_names_what_its_client_can_be_asked_for() -> None:
    assert ClientChannel(form=True, roots=True).abilities == {"form", "roots"}
    assert ClientChannel().abilities == frozenset()
