"""Everything that is checked, each under one name: `nox` runs the tests, `nox -s lint` (and so on) the rest."""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["tests"]
nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent
SHARED = Path(os.environ.get("MCPBRIDGE_SHARED", ROOT.parent / "shared")).absolute()
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
CODE = ("src", "tests", "examples", "benchmarks", "noxfile.py")
SHORT = "^(github-api|stripe|pagerduty-rest|openai|digitalocean)"
SUITE = "jsonschema==4.26.0"


def _install(session: nox.Session, group: str, *, package: str | None = "-e.") -> None:
    session.install(*([package] if package else []), *nox.project.dependency_groups(PROJECT, group))


@nox.session
def tests(session: nox.Session) -> None:
    """The tests, in two processes, with coverage; further words go to pytest, in one."""
    _install(session, "test")
    both = ["-n", "2", "--dist", "worksteal", "--cov", "--cov-report=term:skip-covered"]
    session.run("python", "-m", "pytest", "--ignore=tests/judges", *([] if session.posargs else both), *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and the house rules, by ruff."""
    _install(session, "lint", package=None)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Pyright and mypy, both strict."""
    _install(session, "types")
    session.run("pyright")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Every code block of the README and the docs runs, and so do the examples."""
    _install(session, "test")
    session.run("python", "-m", "pytest", "tests/test_docs.py", "tests/test_examples.py", *session.posargs)


@nox.session
def judges(session: nox.Session) -> None:
    """Clients, agents and checkers that nobody here wrote, against a gateway of ours."""
    _install(session, "test")
    _install(session, "agents", package=None)
    pages = ("tests/test_docs.py", "tests/test_examples.py")  # those of agent frameworks run here alone
    session.run("python", "-m", "pytest", "tests/judges", *pages, *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Readers, URL builder and challenge parser against what hypothesis thinks of; at most three minutes."""
    _install(session, "test")
    session.run("python", "-m", "pytest", "tests/fuzz", *session.posargs, env={"MCPBRIDGE_FUZZ": "2000"})


@nox.session
def audit(session: nox.Session) -> None:
    """Known weaknesses of what a user installs; fails too where the advisories of PyPI can not be reached."""
    _install(session, "audit")
    session.run("pip-audit", "--strict", "--local", "--skip-editable", *session.posargs)


@nox.session
def fidelity(session: nox.Session) -> None:
    """Do requests decode back to their arguments, by the descriptions themselves? `short` takes five descriptions."""
    harness, corpus = SHARED / "fidelity/run.py", SHARED / "corpus/dev"
    if not harness.is_file() or not corpus.is_dir():
        session.error(f"the harness and its descriptions are not in {SHARED}: set MCPBRIDGE_SHARED to their folder")
    _install(session, "fidelity")
    folder, environment = Path(session.create_tmp()), {"PYTHONDONTWRITEBYTECODE": "1"}
    report, features = folder / "fidelity.json", folder / "features.json"
    chosen = ["--only", SHORT, "--ops", "12"] if "short" in session.posargs else ["--ops", "40"]
    session.run(
        "python", str(harness), "--peer", "mcpbridge", "--corpus", str(corpus), "--out", str(report), *chosen,
        env=environment,
    )  # fmt: skip
    judge = str(harness.with_name("features.py"))
    session.run("python", judge, "--peers", "mcpbridge", "--out", str(features), silent=True, env=environment)
    session.run("python", "-m", "benchmarks.fidelity", str(report), str(features))


@nox.session
def bench(session: nox.Session) -> None:
    """Speed and memory as ratios to a peer, that gets an environment of its own."""
    peer = Path(session.create_tmp()) / "peer"
    _install(session, "bench", package="-e.[fast]")
    if not (peer / "bin/python").exists():
        session.run("python", "-m", "venv", str(peer))
    session.run(
        str(peer / "bin/python"), "-m", "pip", "install", "-q",
        *nox.project.dependency_groups(PROJECT, "peer"),
        external=True,
    )  # fmt: skip
    suite = Path(session.create_tmp()) / "suite"  # jsonschema's source package carries the official test suite
    session.run("python", "-m", "pip", "download", "-q", "--no-deps", "--no-binary=:all:", "-d", str(suite), SUITE)
    environment = {
        "MCPBRIDGE_SHARED": str(SHARED),
        "MCPBRIDGE_PEER": str(peer / "bin/python"),
        "MCPBRIDGE_SUITE": str(next(suite.glob("*.tar.gz"))),
    }
    session.run("python", "-m", "benchmarks", *session.posargs, env=environment)
