"""The pytest plugin: `--mcpbridge-update`, and the fixtures `mcpbridge_gateway` and `mcpbridge_upstream`.

pytest loads it in every run of whoever has mcpbridge installed, so it loads nothing until it is used.
"""

from __future__ import annotations

from collections.abc import Generator
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
