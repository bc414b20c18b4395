"""A key that somebody else holds, who may be down."""

from __future__ import annotations

import asyncio
import os

import pytest

from mcpbridge.errors import ConfigError
from mcpbridge.vault.envelope import Refused
from mcpbridge.vault.errors import KeyUnavailable
from mcpbridge.vault.host import HostKey

DATA_KEY = os.urandom(32)


class Holder:
    """A key service that can be down, hang, or give nonsense; it counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: object = None
        self.down = self.hangs = False

    async def flip(self, data: bytes) -> object:
        self.asked += 1
        if self.down:
            raise ConnectionError(f"no route for {data.hex()}")
        if self.hangs:
            await asyncio.Event().wait()
        return bytes(byte ^ 0x5A for byte in data) if self.answer is None else self.answer


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _key(holder: Holder, clock: Clock, *, kept: int = 10) -> HostKey:
    return HostKey("arn:key/1", wrap=holder.flip, unwrap=holder.flip, ttl=60, timeout=0.05, kept=kept, clock=clock)


@pytest.mark.req("FLT-39")
async def test_data_keys_that_are_known_keep_serving_while_the_holder_is_down_until_their_time() -> None:
    holder, clock = Holder(), Clock()
    key = _key(holder, clock)
    wrapped = await key.wrap(DATA_KEY)
    holder.down = True

    clock.now += 59
    assert await key.unwrap(wrapped) == DATA_KEY
    clock.now += 1
    with pytest.raises(KeyUnavailable, match=r"arn:key/1.*could not unwrap.*ConnectionError.*try again"):
        await key.unwrap(wrapped)
    holder.down = False
    assert await key.unwrap(wrapped) == DATA_KEY


@pytest.mark.req("FLT-39")
async def test_nothing_is_wrapped_while_the_holder_is_down() -> None:
    holder = Holder()
    holder.down = True

    with pytest.raises(KeyUnavailable) as raised:
        await _key(holder, Clock()).wrap(DATA_KEY)
    assert DATA_KEY.hex() not in str(raised.value)


@pytest.mark.req("FLT-39")
async def test_a_holder_that_hangs_or_gives_nonsense_is_as_good_as_down() -> None:
    holder = Holder()
    key = _key(holder, Clock())
    holder.hangs = True
    with pytest.raises(KeyUnavailable, match="TimeoutError"):
        await key.wrap(DATA_KEY)
    holder.hangs, holder.answer = False, "text"
    with pytest.raises(KeyUnavailable, match="gave no bytes"):
        await key.wrap(DATA_KEY)
    holder.answer = b"short"
    with pytest.raises(Refused):
        await key.unwrap(b"wrapped")


@pytest.mark.req("VAULT-02")
async def test_the_holder_is_asked_once_for_each_data_key_and_few_are_kept() -> None:
    holder = Holder()
    key = _key(holder, Clock(), kept=2)
    wrapped = [await key.wrap(os.urandom(32)) for _ in range(3)]
    for each in wrapped[1:]:
        await key.unwrap(each)
    assert holder.asked == 3
    await key.unwrap(wrapped[0])
    assert holder.asked == 4


@pytest.mark.parametrize("id", ["", "x" * 201])
def test_a_key_without_a_usable_name_is_refused(id: str) -> None:
    with pytest.raises(ConfigError, match="200 characters"):
        HostKey(id, wrap=Holder().flip, unwrap=Holder().flip)
