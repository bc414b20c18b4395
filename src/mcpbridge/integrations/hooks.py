"""What a host decides about management: plans, permissions, and which agents, teams and environments there are.

A function that raises, takes too long or gives something else than it should means no.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from mcpbridge.integrations.errors import FieldProblem, InvalidRecord, NotAllowed, NotEntitled
from mcpbridge.integrations.problems import problem
from mcpbridge.integrations.record import Integration
from mcpbridge.tools import Caller

logger = logging.getLogger(__name__)

Action: TypeAlias = Literal[
    "create", "read", "list", "update", "enable", "disable", "delete", "validate", "test_call", "reconnect"
]
Party: TypeAlias = Literal["agent", "team", "environment"]

TIMEOUT = 10.0
"""Seconds that a function of the host may take."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Management:
    """One action of management that a caller wants to take.

    `name` is the integration's, empty for a listing. `fields` are those that a creation or an update gives: giving
    `trusted`, `url`, `base_url` or `tools` is worth a look, since a credential goes where the record says.
    """

    action: Action
    name: str = ""
    fields: frozenset[str] = frozenset()


Rule: TypeAlias = Callable[[Caller, Management], bool | Awaitable[bool]]
"""Says yes by True, and no by anything else."""

Known: TypeAlias = Callable[[Caller, Party, Collection[str]], Collection[str] | Awaitable[Collection[str]]]
"""Takes names of agents, teams or environments; gives those of them that there are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hooks:
    """The host's functions; None for one that it does not have."""

    entitled: Rule | None = None
    authorize: Rule | None = None
    known: Known | None = None

    async def check(self, caller: Caller, wanted: Management) -> None:
        """Passes what the host allows. Raises: NotEntitled, NotAllowed."""
        what = f"{wanted.action} the integration {wanted.name!r}" if wanted.name else f"{wanted.action} integrations"
        if self.entitled is not None and await _asked(self.entitled, caller, wanted) is not True:
            raise NotEntitled(f"the plan of this tenant does not allow to {what}: ask for the feature")
        if self.authorize is not None and await _asked(self.authorize, caller, wanted) is not True:
            raise NotAllowed(f"this caller may not {what}: ask an administrator")

    async def check_parties(self, caller: Caller, record: Integration) -> None:
        """Passes a record that names only agents, teams and environments that there are. Raises: InvalidRecord."""
        if self.known is None:
            return
        problems: list[FieldProblem] = []
        named: tuple[tuple[Party, str, Collection[str]], ...] = (
            ("agent", "agents", [each for each in record.agents if each != "*"]),
            ("team", "teams", record.teams),
            ("environment", "environments", record.environments),
        )
        for party, field, names in named:
            there = await _asked(self.known, caller, party, names) if names else ()
            known = (
                {*cast("Collection[object]", there)}
                if isinstance(there, set | frozenset | list | tuple)
                else set[object]()
            )
            problems += [problem(field, f"there is no {party} {name!r}") for name in names if name not in known]
        if problems:
            raise InvalidRecord(problems, name=record.name)


async def _asked(function: Callable[..., Any], *arguments: object) -> object:
    try:
        async with asyncio.timeout(TIMEOUT):
            given: object = function(*arguments)
            return await given if inspect.isawaitable(given) else given
    except Exception:  # the host's function may raise anything; whichever it is, the answer is no
        logger.exception("a function of the host failed; it counts as no")
        return None
