"""A running bookshop, and the command line in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import Command, Ended
from typer.testing import CliRunner

from mcpbridge.cli.app import app
from mcpbridge.demo.local import description, running


@pytest.fixture
def command() -> Command:
    def run(*words: str, typed: str = "") -> Ended:
        result = CliRunner().invoke(app, [*words], input=typed, prog_name="mcpbridge")
        return Ended(code=result.exit_code, out=result.stdout, err=result.stderr)

    return run


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The path of the description of a bookshop that runs."""
    path = tmp_path_factory.mktemp("shop") / "bookshop.yaml"
    with running() as url:
        path.write_text(description().replace("http://127.0.0.1:8320", url), "utf-8")
        yield str(path)


@pytest.fixture
def api(tmp_path: Path) -> Callable[[str], str]:
    """Writes a description, gives its path."""

    def write(text: str, name: str = "api.yaml") -> str:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return str(path)

    return write
