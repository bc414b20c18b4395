"""Which commands a definition that is not the host's own may start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mcp import StdioServerParameters

from mcpbridge.errors import ConfigError
from mcpbridge.upstream.commands import AllowedCommand
from mcpbridge.upstream.source import McpSource

GIT = AllowedCommand(command="uvx", arguments=["mcp-server-git", "-r", r"/srv/[a-z]+"], env=frozenset({"LANG"}))


def _made(allowed: list[AllowedCommand], **parameters: Any) -> McpSource:
    return McpSource(StdioServerParameters(**parameters), commands=allowed)


@pytest.mark.req("ATK-61", "UP-10")
def test_what_is_allowed_word_by_word_can_be_started() -> None:
    assert _made([GIT], command="uvx", args=["mcp-server-git", "-r", "/srv/code"], env={"LANG": "C"})


@pytest.mark.req("ATK-61")
@pytest.mark.parametrize(
    "parameters",
    [
        {"command": "sh", "args": ["-c", "id"]},
        {"command": "uvx", "args": ["-c", "id"]},
        {"command": "uvx", "args": ["mcp-server-git", "-r", "/srv/code/../../etc"]},
        {"command": "uvx", "args": ["mcp-server-git", "-r", "/srv/code\n"]},
        {"command": "uvx", "args": ["mcp-server-git", "-r", "/srv/code", "--more"]},
        {"command": "/tmp/uvx", "args": ["mcp-server-git", "-r", "/srv/code"]},
        {"command": "uvx", "args": ["mcp-server-git", "-r", "/srv/code"], "env": {"LD_PRELOAD": "/tmp/x.so"}},
        {"command": "uvx", "args": ["mcp-server-git", "-r", "/srv/code"], "env": {"PATH": "/tmp"}},
        {"command": "uvx", "args": ["mcp-server-git", "-r", "/srv/code"], "cwd": "/tmp"},
    ],
    ids=str,
)
def test_everything_else_is_refused_when_it_is_built(parameters: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="the command"):
        _made([GIT], **parameters)


@pytest.mark.req("ATK-61", "UP-10")
def test_an_empty_list_allows_no_command() -> None:
    with pytest.raises(ConfigError, match="no command is allowed"):
        _made([], command="uvx")


@pytest.mark.req("ATK-61")
def test_a_folder_is_left_neither_by_dots_nor_by_links(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    allowed = [AllowedCommand(command="x", cwd=inside)]
    assert _made(allowed, command="x", cwd=inside)
    for folder in (inside / "..", inside / "link", outside):
        with pytest.raises(ConfigError, match="folder"):
            _made(allowed, command="x", cwd=folder)


@pytest.mark.req("ATK-61")
@pytest.mark.parametrize(
    "name", ["LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "NODE_OPTIONS", "PYTHONPATH", "BASH_ENV", "GIT_SSH_COMMAND"]
)
def test_a_variable_by_which_code_is_loaded_can_not_be_allowed(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        AllowedCommand(command="x", env=frozenset({name}))


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="regular expression"):
        AllowedCommand(command="x", arguments=["("])
