"""Twenty secrets that must come out nowhere, and a watch over what does come out.

A test takes the `canaries` fixture and plants them where a credential belongs. Searched through, for every test of the
session: log records (from DEBUG on for tests that take the fixture, from WARNING for the others), what was printed, and
how failures are shown. A test hands over further bytes by `canaries.saw(where, data)`. A hit fails the test that has
the fixture, and the session in any case.

It reaches no further: what another process writes, say, is seen only where a test hands it over.
"""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

CANARIES: tuple[str, ...] = tuple(f"canary{number:02}/{secrets.token_hex(12)}" for number in range(20))


def forms_of(text: str) -> Iterator[bytes]:
    """The secret in each way that it may be written: plain, for a URL, in JSON, reversed, in hex, and in base64."""
    plain = text.encode()
    yield from (plain, quote(text, safe="").encode(), plain.replace(b"/", b"\\/"), plain[::-1], plain.hex().encode())
    for lead in range(3):  # base64 at each of its three alignments, without the ends that its neighbours change
        whole = base64.b64encode(b"\0" * lead + plain)
        yield from (part[4:-4] for part in (whole, whole.translate(bytes.maketrans(b"+/", b"-_"))))


class Canaries(logging.Handler):
    """What came out, searched at once; `leaks` says where a canary was in it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.leaks: list[str] = []
        self.searched = 0
        self._forms = [(number, form) for number, text in enumerate(CANARIES) for form in forms_of(text)]

    def __getitem__(self, number: int) -> str:
        return CANARIES[number]

    def saw(self, where: str, data: object) -> None:
        """Searches bytes; a folder's files; or anything else as its text and its repr."""
        if isinstance(data, Path) and data.is_dir():
            for path in (each for each in data.rglob("*") if each.is_file()):
                self.saw(f"{where}/{path.name}", path.read_bytes())
            return
        content = data if isinstance(data, bytes) else f"{data} {data!r}".encode("utf-8", "backslashreplace")
        self.searched += len(content)
        if b"canary" in content or len(content) > 16:
            self.leaks += [f"canary {number} in {where}" for number, form in self._forms if form in content]

    def emit(self, record: logging.LogRecord) -> None:
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        self.saw(f"the log {record.name!r}", f"{record.getMessage()} {record.args!r} {trace}")


WATCH = Canaries()


def pytest_configure() -> None:
    logging.getLogger().addHandler(WATCH)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    WATCH.saw(report.nodeid, "\n".join([report.longreprtext, *(text for _, text in report.sections)]))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What another process of the session saw (pytest-xdist)."""
    WATCH.leaks += getattr(node, "workeroutput", {}).get("leaks", [])


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["leaks"] = WATCH.leaks
    if WATCH.leaks:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for leak in WATCH.leaks:
        terminalreporter.write_line(f"LEAKED: {leak}")


@pytest.fixture
def canaries() -> Iterator[Canaries]:
    """The secrets to plant, and the watch; everything is logged meanwhile. Fails where one came out."""
    root = logging.getLogger()
    before, known = root.level, len(WATCH.leaks)
    root.setLevel(logging.DEBUG)
    yield WATCH
    root.setLevel(before)
    assert WATCH.leaks[known:] == []
