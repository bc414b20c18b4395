"""`HostKey`: a key that somebody else holds, such as a cloud's key service."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from mcpbridge.errors import ConfigError
from mcpbridge.vault.envelope import KEY_SIZE, Refused
from mcpbridge.vault.errors import KeyUnavailable

Transform: TypeAlias = Callable[[bytes], Awaitable[object]]
"""Encrypts, or decrypts, a few bytes where the key is held, and gives bytes."""


class HostKey:
    """Data keys wrapped by two async functions of the host: `wrap` and `unwrap`, each the way back of the other.

    id       names the key for ever: its ARN and version, say
    ttl      seconds in which an unwrapped data key is used without asking again: a holder that is down is not noticed
             for so long, and then `KeyUnavailable` says so
    timeout  seconds that a function may take
    kept     data keys that are kept in memory at most

    Raises: ConfigError for an id that is empty or longer than 200 characters.
    """

    def __init__(
        self,
        id: str,
        *,
        wrap: Transform,
        unwrap: Transform,
        ttl: float = 300.0,
        timeout: float = 10.0,
        kept: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 < len(id) <= 200:
            raise ConfigError("HostKey(id=…) must be the key's name, 200 characters at most")
        self._id = id
        self._wrap = wrap
        self._unwrap = unwrap
        self._ttl = ttl
        self._timeout = timeout
        self._most = kept
        self._clock = clock
        self._kept: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()

    @property
    def id(self) -> str:
        return self._id

    async def wrap(self, data_key: bytes) -> bytes:
        wrapped = await self._ask("wrap", self._wrap, data_key)
        self._keep(wrapped, data_key)
        return wrapped

    async def unwrap(self, wrapped: bytes) -> bytes:
        until, data_key = self._kept.get(wrapped, (0.0, b""))
        if data_key and self._clock() < until:
            return data_key
        self._kept.pop(wrapped, None)
        data_key = await self._ask("unwrap", self._unwrap, wrapped)
        if len(data_key) != KEY_SIZE:
            raise Refused
        self._keep(wrapped, data_key)
        return data_key

    def _keep(self, wrapped: bytes, data_key: bytes) -> None:
        self._kept[wrapped] = (self._clock() + self._ttl, data_key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    async def _ask(self, what: str, transform: Transform, data: bytes) -> bytes:
        try:
            async with asyncio.timeout(self._timeout):
                given = await transform(data)
        except Exception as error:  # a host's function may raise anything; whichever it is, there is no key
            raise KeyUnavailable(
                f"the holder of the vault's key {self._id!r} could not {what} ({type(error).__name__}): "
                "try again when it answers"
            ) from error
        if not isinstance(given, bytes):
            raise KeyUnavailable(f"the {what} function of the vault's key {self._id!r} gave no bytes")
        return given

    def __repr__(self) -> str:
        return f"HostKey({self._id!r})"
