"""`AllowedCommand`: which child processes a definition that is not trusted may start. Pure but for resolving folders.

What host code or the operator's file names is theirs to name. What comes in from elsewhere (a record that a tenant
made) starts nothing, or only what the host allows word by word: command, arguments, variables and folder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mcp.client.stdio import StdioServerParameters

from mcpbridge.errors import ConfigError

_LOADING = re.compile(
    r"(?:LD|DYLD|PYTHON|NODE|NPM_CONFIG|npm_config|RUBY|PERL5?|JAVA|JDK|GIT|BASH|UV|PIP|DOTNET)_?.*"
    r"|PATH|ENV|IFS|SHELL|HOME|.*_OPTIONS|.*_OPTS|.*_PRELOAD|.*_STARTUP"
)
"""Variables by which other code is loaded or found."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AllowedCommand:
    """One command that may be started.

    command    exactly as a definition has to name it
    arguments  a regular expression for each argument, which has to match the whole of it; there may be no others
    env        names of the variables that a definition may set; none by which other code is loaded
    cwd        the folder in which, or below which, it may be started; None forbids to name one

    Raises: ConfigError for an expression that is none, or a variable by which other code is loaded.
    """

    command: str
    arguments: Sequence[str] = ()
    env: frozenset[str] = frozenset()
    cwd: Path | None = None

    def __post_init__(self) -> None:
        for pattern in self.arguments:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ConfigError(
                    f"AllowedCommand(arguments=…): {pattern!r} is no regular expression: {error}"
                ) from None
        if loading := sorted(name for name in self.env if _LOADING.fullmatch(name)):
            raise ConfigError(f"AllowedCommand(env=…) must not allow {', '.join(loading)}: other code is loaded by it")

    def refusal(self, parameters: StdioServerParameters) -> str:
        """Why these parameters are not what is allowed; empty where they are."""
        given, wanted = parameters.args, self.arguments
        if len(given) != len(wanted) or not all(map(re.fullmatch, wanted, given)):
            return "its arguments are not the allowed ones"
        if foreign := sorted(set(parameters.env or {}) - self.env):
            return f"it must not set {', '.join(map(repr, foreign))}"
        if parameters.cwd is not None and not self._holds(Path(parameters.cwd)):
            return "it must not be started in that folder"
        return ""

    def _holds(self, folder: Path) -> bool:
        return self.cwd is not None and folder.resolve().is_relative_to(self.cwd.resolve())


def check_command(parameters: StdioServerParameters, allowed: Sequence[AllowedCommand]) -> None:
    """Passes what one of the allowed commands covers.

    Raises: ConfigError.
    """
    if not allowed:
        raise ConfigError(f"the command {parameters.command!r} can't be started: no command is allowed here")
    named = [each for each in allowed if each.command == parameters.command]
    if not named:
        raise ConfigError(f"the command {parameters.command!r} is not among the allowed ones")
    refusals = [each.refusal(parameters) for each in named]
    if all(refusals):
        raise ConfigError(f"the command {parameters.command!r} can't be started: {refusals[0]}")
