"""`LoginFlow`: the rounds of a call that needs a login, from the link to the call that goes through."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import mcp_types

from mcpbridge.errors import AuthRequired, BridgeError, Failure, UpstreamError
from mcpbridge.source.answer import answers, ask, error_of, failed, failure_of, nest
from mcpbridge.source.base import Answer
from mcpbridge.tools import Call, Caller, Json
from mcpbridge.wrap.connect_answers import declined, needs_login, question, with_link
from mcpbridge.wrap.plain import is_list, is_object

KEY: Final = "connect"
"""This layer's part of a request state."""

_TOLD: Final = 5.0
"""Seconds between two words of progress to a client that waits."""

Ask: TypeAlias = Callable[[Call], Awaitable[Answer]]

logger = logging.getLogger(__name__)


class Links(Protocol):
    """Makes links to log in with; `LoginLinks` does it for `AuthorizationCode`."""

    @property
    def integration(self) -> str:
        """Where one logs in, for people."""
        ...

    async def link(self, caller: Caller, scopes: Sequence[str] = ()) -> str:
        """The URL that this caller's browser is to open. Raises: BridgeError where there can be none."""
        ...

    async def seen(self, caller: Caller) -> int | None:
        """The version of the caller's login, None where there is none. Raises: BridgeError."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginFlow:
    """Takes a call through a login. What it has to remember goes with the question, so that any replica can go on."""

    links: Links
    patience: float
    poll: float

    async def answer(self, call: Call, make: Ask) -> Answer:
        """The answer to one round. `make` makes the call, and may raise AuthRequired or UpstreamError."""
        back = answers(call, KEY)
        if not is_object(back.own):
            return await self._first(back.inner, make)
        if _action(back.responses.get("login")) != "accept":
            return failed(declined(self.links.integration, call))
        await self._wait(call, back.own.get("seen"))
        answer = await made(back.inner, make)
        failure, url = error_of(answer), back.own.get("url")
        if failure is not None and needs_login(failure) and isinstance(url, str):
            return failed(with_link(failure, url, call))
        return _through(answer)

    async def _first(self, call: Call, make: Ask) -> Answer:
        answer = await made(call, make)
        failure = error_of(answer)
        if failure is None or not needs_login(failure):
            return _through(answer)
        try:
            seen = await self.links.seen(call.caller)
            url = await self.links.link(call.caller, scopes_of(failure))
        except BridgeError as error:
            logger.warning("no link to log in at %r can be given: %s", self.links.integration, error)
            return answer
        if call.client is None or not call.client.url:
            return failed(with_link(failure, url, call))
        return ask(KEY, {"login": question(self.links.integration, url)}, {"seen": seen, "url": url})

    async def _wait(self, call: Call, seen: Json) -> None:
        """Until the caller has logged in, or patience ends."""
        clock = asyncio.get_running_loop().time
        began = told = clock()
        while not await self._arrived(call.caller, seen) and clock() - began < self.patience:
            if clock() - told >= _TOLD and call.client is not None and call.client.report is not None:
                told = clock()
                await call.client.report(told - began, None, f"Waiting for the login at {self.links.integration!r}")
            await asyncio.sleep(self.poll)

    async def _arrived(self, caller: Caller, seen: Json) -> bool:
        try:
            now = await self.links.seen(caller)
        except BridgeError as error:
            logger.warning("whether there is a login at %r can't be seen now: %s", self.links.integration, error)
            return False
        return now is not None and now != seen


async def made(call: Call, make: Ask) -> Answer:
    """The answer to a call; what is raised for want of a login is a failure."""
    try:
        return await make(call)
    except (AuthRequired, UpstreamError) as error:
        if not needs_login(failure := failure_of(error, id=call.id)):
            raise
        return failed(failure)


def scopes_of(failure: Failure) -> Sequence[str]:
    """The scopes that a login has to give, where the failure names them."""
    scopes: Json = failure.details.get("scopes")
    return [each for each in scopes if isinstance(each, str)] if is_list(scopes) else []


def _through(answer: Answer) -> Answer:
    """The answer; an inner question goes under our key, since an inner layer may have the same."""
    return nest(answer, KEY, None) if isinstance(answer, mcp_types.InputRequiredResult) else answer


def _action(response: Json) -> Json:
    if isinstance(response, mcp_types.ElicitResult):
        return response.action
    return response.get("action") if is_object(response) else None
