"""The pytest plugin: `--mcpbridge-update`, and the fixtures `mcpbridge_gateway` and `mcpbridge_upstream`.

pytest loads it in every run of whoever has mcpbridge installed, so it loads nothing until it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from mcpbridge import testing
from mcpbridge.testing.running import RUNNING


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that writes snapshots."""
    parser.getgroup("mcpbridge").addoption(
        "--mcpbridge-update",
        action="store_true",
        default=False,
        help="write the snapshots of assert_tools instead of comparing with them",
    )


def pytest_configure() -> None:
    """Nothing was written in this run yet."""
    RUNNING.written.clear()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tells where the snapshots of this test are."""
    RUNNING.folder = item.path.parent
    RUNNING.update = bool(item.config.getoption("--mcpbridge-update"))
    RUNNING.begun.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:  # noqa: ARG001 - pytest passes it
    """Fails a test that made a check and did not await it."""
    result = yield
    if RUNNING.begun:
        names = ", ".join(sorted(RUNNING.begun))
        pytest.fail(f"assert_tools of a source has to be awaited, and was not: {names}", pytrace=False)
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tells which snapshots were written."""
    for path in RUNNING.written:
        terminalreporter.write_line(f"mcpbridge wrote the snapshot {path}")


@pytest.fixture
def mcpbridge_gateway() -> Any:
    """`open_gateway`: a gateway of one source, or several by slug, with a client in memory."""
    return testing.open_gateway


@pytest.fixture
def mcpbridge_upstream(request: pytest.FixtureRequest) -> Generator[Callable[..., Any], None, None]:
    """Makes fakes: of a description (a path from the test's folder, or parsed JSON), or of a list of tools.

    At the end the test fails where one of them received what its description does not allow; a test that sends such
    things on purpose clears `fake.received`.
    """
    made: list[Any] = []

    def make(data: Any) -> Any:
        fakes = testing.FakeUpstream
        listed = not isinstance(data, str | Path | dict)
        given = request.path.parent / data if isinstance(data, str | Path) else data
        made.append(fakes.from_tools(data) if listed else fakes.from_openapi(given))
        return made[-1]

    yield make
    problems = [problem for fake in made for problem in fake.problems]
    if problems:
        pytest.fail("a fake upstream received what its description does not allow:\n" + "\n".join(problems))
