"""What is linted, and how strictly: the table `[tool.mcpbridge.lint]` of a pyproject.toml as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase

from mcpbridge.errors import ConfigError
from mcpbridge.openapi.closest import closest
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.tools import Json

WHERE = "[tool.mcpbridge.lint]"


@dataclass(frozen=True, kw_only=True, slots=True)
class LintLimits:
    """How much is too much: characters, numbers of arguments, estimated tokens."""

    name_length: int = 48
    description_length: int = 1_000
    arguments: int = 20
    tool_tokens: int = 2_000
    set_tokens: int = 20_000

    def __post_init__(self) -> None:
        for each in fields(self):
            value: object = getattr(self, each.name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ConfigError(f"the limit {_written(each.name)} must be a whole number from 0, not {value!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class LintSettings:
    """Which rules run, by codes or their beginnings; the longer one wins, and `ignore` where both are as long.

    `per_tool` maps patterns of names (`*`, `?`) to codes that are ignored there.
    """

    select: Sequence[str] = ("MB",)
    ignore: Sequence[str] = ()
    per_tool: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    limits: LintLimits = LintLimits()

    @classmethod
    def read(cls, table: Mapping[str, Json], *, where: str = WHERE) -> LintSettings:
        """The settings that the table says; keys are written with hyphens.

        Raises: ConfigError for a key or a value that there is not, naming `where`, and what was probably meant.
        """
        if not is_object(table):
            raise ConfigError(f"{where} must be a table")
        _check_keys(table, ("select", "ignore", "per-tool", "limits"), where)
        per_tool, limits = table.get("per-tool", {}), table.get("limits", {})
        for name, each in (("per-tool", per_tool), ("limits", limits)):
            if not is_object(each):
                raise ConfigError(f"{where}: {name!r} must be a table")
        _check_keys(limits, [_written(each.name) for each in fields(LintLimits)], f"{where}, limits")
        try:
            read_limits = LintLimits(**{key.replace("-", "_"): value for key, value in limits.items()})
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error
        return cls(
            select=_codes(table.get("select", ["MB"]), f"{where}, select"),
            ignore=_codes(table.get("ignore", []), f"{where}, ignore"),
            per_tool={name: _codes(codes, f"{where}, per-tool {name!r}") for name, codes in per_tool.items()},
            limits=read_limits,
        )

    def runs(self, code: str) -> bool:
        """Whether a rule runs at all."""
        chosen = _longest(code, self.select)
        return chosen >= 0 and chosen > _longest(code, self.ignore)

    def silent(self, code: str, tool: str) -> bool:
        """Whether nothing is said of a rule for one tool."""
        return any(
            fnmatchcase(tool, pattern) and _longest(code, codes) >= 0 for pattern, codes in self.per_tool.items()
        )

    def check(self, known: Sequence[str]) -> None:
        """Passes where every code names a rule that there is. Raises: ConfigError."""
        for said in (*self.select, *self.ignore, *(code for codes in self.per_tool.values() for code in codes)):
            if not any(code.startswith(said) for code in known):
                near = closest(said, known)
                raise ConfigError(
                    f"no rule of the linter begins with {said!r}" + (f"; did you mean {near!r}?" if near else "")
                )


def _longest(code: str, beginnings: Sequence[str]) -> int:
    return max((len(each) for each in beginnings if code.startswith(each)), default=-1)


def _codes(value: Json, where: str) -> Sequence[str]:
    if not is_list(value) or not all(isinstance(each, str) and each for each in value):
        raise ConfigError(f'{where}: give a list of codes, such as ["MB3", "MB501"]')
    return tuple(value)


def _check_keys(table: Mapping[str, Json], known: Sequence[str], where: str) -> None:
    for key in table:
        if key not in known:
            near = closest(key, known)
            meant = f"; did you mean {near!r}?" if near else ""
            raise ConfigError(f"{where} has no key {key!r}{meant} (there are {', '.join(known)})")


def _written(name: str) -> str:
    return name.replace("_", "-")
