"""The sample project of a user, as a user has it: mcpbridge from a built wheel, in an environment of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.req("TEST-02", "TEST-03")

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "examples/downstream_tests"

Ran = subprocess.CompletedProcess[str]
Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of a new environment that has the wheel, and what the sample's tests need."""
    folder = tmp_path_factory.mktemp("downstream")
    _done(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT))
    _done(sys.executable, "-m", "venv", str(folder / "venv"))
    wheel = next(folder.glob("mcpbridge-*.whl"))
    _done(str(folder / "venv/bin/python"), "-m", "pip", "install", "-q", str(wheel), f"{SAMPLE}[test]")
    return folder / "venv/bin"


def _done(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the project."""
    return shutil.copytree(SAMPLE, tmp_path / "sample", ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))


@pytest.fixture
def run(environment: Path, sample: Path) -> Run:
    """Runs a command of the environment in the copy; the module there goes before the installed one."""

    def ran(command: str, *words: str) -> Ran:
        return subprocess.run(
            [str(environment / command), *words],
            cwd=sample, env={"PYTHONPATH": str(sample), "PATH": str(environment)},
            capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip

    return ran


def changed(sample: Path, edit: Callable[[Any], object]) -> None:
    """Changes the description of the project."""
    path = sample / "tickets.json"
    raw = json.loads(path.read_text("utf-8"))
    edit(raw)
    path.write_text(json.dumps(raw), "utf-8")


def test_the_tests_of_the_sample_pass(run: Run) -> None:
    done = run("pytest")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout


def test_a_changed_description_fails_them_and_says_what_it_means(run: Run, sample: Path) -> None:
    changed(sample, lambda raw: raw["components"]["schemas"]["Status"].update(enum=["open", "done"]))
    failed = run("pytest", "-k", "agreed")
    updated = run("pytest", "-k", "agreed", "--mcpbridge-update")
    passed = run("pytest", "-k", "agreed")

    assert "breaking: 1" in failed.stdout
    assert "list_tickets /inputSchema/properties/status/enum: enum was ['open', 'closed']" in failed.stdout
    assert "wrote the snapshot" in updated.stdout
    assert [failed.returncode, updated.returncode, passed.returncode] == [1, 0, 0]


def test_the_commands_work_from_the_wheel(run: Run, sample: Path) -> None:
    changed(sample, lambda raw: raw["paths"].pop("/internal/purge"))
    same = run("mcpbridge", "diff", "tests/tools.json", "tickets.json")
    changed(sample, lambda raw: raw["paths"].pop("/tickets"))
    gone = run("mcpbridge", "diff", "tests/tools.json", "tickets.json", "--json")
    lint = run("mcpbridge", "lint", "tickets.json")

    assert (same.returncode, same.stdout) == (0, "0 changes, 0 breaking\n")
    assert (gone.returncode, json.loads(gone.stdout)["changes"][0]["id"]) == (1, "removed list_tickets")
    assert lint.returncode == 0, lint.stdout + lint.stderr
