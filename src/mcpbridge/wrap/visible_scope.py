"""`Scope`: who may see a source, what of it, and when; and why it is hidden from somebody. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from mcpbridge.source.base import Hidden
from mcpbridge.tools import Caller
from mcpbridge.wrap.visible_hours import Hours
from mcpbridge.wrap.visible_names import Names

ANY = "*"
"""Any agent, and any skill that is not named."""

_REMEMBERED = 50_000
"""How many names, each in a skill, are kept with what was decided of them."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Who may see a source, what of it, and when. Every rule has to let the caller through: one that refuses decides.

    tenant        the tenant that it belongs to; None is every tenant
    owner         the one user who may see it; None where it is shared, and an empty one is nobody
    agents        the agents that may; `*` is any, and a caller that is no agent
    teams         the teams of which the caller is in one; none given is any
    environments  the environments from which it may be called; none given is any
    skills        patterns of what each skill may use. A skill that is not named has what `*` has, or nothing; who acts
                  in no skill is not bound by them. None given leave every skill free
    hours         when it is open; none given is always
    enabled       False takes everything away; `reason` is told to those who may know
    allowed       patterns of what is offered; none given is everything
    blocked       patterns of what is not, even where it is allowed
    off           names that are switched off, one by one

    The patterns and names are those of the source itself, before any prefix, of every kind: a resource is hidden by its
    URI. In a pattern `*` stands for any characters.
    """

    tenant: str | None = None
    owner: str | None = None
    agents: frozenset[str] = frozenset({ANY})
    teams: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    skills: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    hours: tuple[Hours, ...] = ()
    enabled: bool = True
    reason: str = ""
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    off: frozenset[str] = frozenset()

    def refuses_caller(self, caller: Caller) -> Hidden | None:
        """Why this caller sees nothing of the source, whatever the time; None where it sees something."""
        rules = (
            (self.tenant is None or caller.tenant == self.tenant, _OTHER_TENANT),
            (self.owner is None or (caller.user == self.owner != ""), _PRIVATE),
            (ANY in self.agents or caller.agent in self.agents, _AGENT),
            (not self.teams or not self.teams.isdisjoint(caller.teams), _TEAM),
            (not self.environments or caller.environment in self.environments, _ENVIRONMENT),
            (not self.skills or caller.skill is None or self._skill(caller.skill) is not None, _SKILL),
        )
        return next((refusal for passes, refusal in rules if not passes), None)

    def refuses_item(self, key: str, caller: Caller) -> Hidden | None:
        """Why a caller who sees the source does not see what has this key in it; None where it does."""
        decided, case = self._decided, (key, caller.skill)
        if case not in decided:
            if len(decided) >= _REMEMBERED:
                decided.clear()
            decided[case] = self._decide(key, caller.skill)
        return decided[case]

    @property
    def names_items(self) -> bool:
        """Whether anything depends on names, so that a caller who sees the source may not see all of it."""
        return bool(self.allowed or self.blocked or self.off or self.skills)

    def _decide(self, key: str, skill: str | None) -> Hidden | None:
        names = self._names
        if names.allowed and key not in names.allowed:
            return _NOT_ALLOWED
        if key in names.blocked:
            return _BLOCKED
        if key in self.off:
            return _OFF
        if self.skills and skill is not None:
            patterns = self._skill(skill)
            return None if patterns is not None and key in patterns else _NOT_OF_SKILL
        return None

    def _skill(self, skill: str) -> Names | None:
        return self._names.skills.get(skill, self._names.skills.get(ANY))

    @cached_property
    def _decided(self) -> dict[tuple[str, str | None], Hidden | None]:
        """What was decided of a name in a skill: it can't come out otherwise."""
        return {}

    @cached_property
    def _names(self) -> _Compiled:
        return _Compiled(
            allowed=Names(self.allowed),
            blocked=Names(self.blocked),
            skills={skill: Names(patterns) for skill, patterns in self.skills.items()},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Compiled:
    allowed: Names
    blocked: Names
    skills: Mapping[str, Names]


_OTHER_TENANT = Hidden(code="other_tenant", message="belongs to another tenant")
_PRIVATE = Hidden(code="private", message="is private to another user")
_AGENT = Hidden(code="agent_not_listed", message="is for other agents")
_TEAM = Hidden(code="team_not_listed", message="is for other teams")
_ENVIRONMENT = Hidden(code="environment_not_listed", message="is for other environments")
_SKILL = Hidden(code="skill_not_listed", message="is for other skills")
_NOT_OF_SKILL = Hidden(code="not_of_skill", message="is not among what the caller's skill may use")
_NOT_ALLOWED = Hidden(code="not_allowed", message="is not on the list of what is allowed")
_BLOCKED = Hidden(code="blocked", message="is on the list of what is blocked")
_OFF = Hidden(code="switched_off", message="is switched off")
