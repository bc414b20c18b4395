"""The command line, part by part."""

from __future__ import annotations

import pytest

from mcpbridge import ConfigError, DescriptionError, Failure, ToolNotFound, UpstreamError
from mcpbridge.cli.outcome import ended

FAILURE = UpstreamError(Failure(code="unreachable", message="refused", hint="Start it."))


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("no\nway"), 2, "mcpbridge: no way"),
        (ToolNotFound("x"), 2, "mcpbridge: unknown tool 'x': list the tools to see which ones there are"),
        (DescriptionError("empty"), 1, "mcpbridge: empty"),
        (FAILURE, 1, "mcpbridge: refused. Start it."),
        (KeyError("\x1b[2Jx"), 1, "mcpbridge: unexpected KeyError: '\\x1b[2Jx'. Please report it"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    error: Exception, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def act() -> int:
        raise error

    assert ended(act) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(line)
    assert said.err.count("\n") == 1


def test_an_interrupt_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    def act() -> int:
        raise KeyboardInterrupt

    assert ended(act) == 130
    assert capsys.readouterr() == ("", "")


def test_an_unforeseen_error_shows_its_way_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPBRIDGE_TRACEBACK", "1")

    with pytest.raises(ZeroDivisionError):
        ended(lambda: 1 // 0)
