"""`Chain`: several strategies on one request, with every step of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Generator
from typing import cast

import httpx2

from mcpbridge.auth.static import Place, writes
from mcpbridge.errors import ConfigError


class Chain(httpx2.Auth):
    """Signs with each strategy, the first one first: `Chain(ApiKey(key, "X-App"), HmacSignature(…))`.

    The strategies lie within one another. A later one sees what the earlier ones wrote, so that a signature over the
    request stands last. It gets each answer first and may send again; the answer that it leaves goes to the one before,
    and whatever that one sends is signed by the later ones from the start.

    Raises: ConfigError for fewer than one strategy, what is none, and two that write the same header or parameter.
    """

    def __init__(self, *auths: httpx2.Auth) -> None:
        if not auths:
            raise ConfigError("Chain() needs strategies: Chain(Bearer(token), ApiKey(key, 'X-Key'))")
        for auth in auths:
            if not isinstance(cast("object", auth), httpx2.Auth):
                raise ConfigError(f"Chain takes strategies of httpx2.Auth, not {type(auth).__name__}")
        _check_apart(auths)
        self.auths = auths
        self.requires_request_body = any(auth.requires_request_body for auth in auths)
        self.requires_response_body = any(auth.requires_response_body for auth in auths)

    def writes(self) -> frozenset[tuple[Place, str]]:
        return frozenset[tuple[Place, str]]().union(*map(writes, self.auths))

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        return self.sync_auth_flow(request)

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        flows: list[Generator[httpx2.Request, httpx2.Response, None]] = []
        try:
            while True:
                for auth in self.auths[len(flows) :]:
                    flows.append(auth.sync_auth_flow(request))
                    request = next(flows[-1])
                response = yield request
                while flows:
                    try:
                        request = flows[-1].send(response)
                        break
                    except StopIteration:
                        flows.pop()
                else:
                    return
        finally:
            for flow in reversed(flows):
                flow.close()

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        flows: list[AsyncGenerator[httpx2.Request, httpx2.Response]] = []
        try:
            while True:
                for auth in self.auths[len(flows) :]:
                    flows.append(auth.async_auth_flow(request))
                    request = await anext(flows[-1])
                response = yield request
                while flows:
                    try:
                        request = await flows[-1].asend(response)
                        break
                    except StopAsyncIteration:
                        flows.pop()
                else:
                    return
        finally:
            for flow in reversed(flows):
                await flow.aclose()

    def __repr__(self) -> str:
        return f"Chain({', '.join(map(repr, self.auths))})"


def _check_apart(auths: tuple[httpx2.Auth, ...]) -> None:
    """Passes strategies that write to different places. Raises: ConfigError."""
    count = Counter(place for auth in auths for place in writes(auth))
    for (where, name), times in count.items():
        if times > 1:
            ours = " and ".join(type(auth).__name__ for auth in auths if (where, name) in writes(auth))
            raise ConfigError(f"Chain: {ours} all write the {where} {name!r}; only the last would be sent: keep one")
