"""How a command ends: its exit code, and one line on stderr where it did not work.

| code | meaning |
|---|---|
| 0 | done |
| 1 | it failed: the description can't be read, the upstream did not answer, the tool said no |
| 2 | the command can't work as it was written: options, target, tool or arguments |
| 130 | Ctrl-C |
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable

from mcpbridge.errors import BridgeError, ConfigError, InvalidArguments, ToolNotFound, UpstreamError

DONE = 0
FAILED = 1
MISUSED = 2
INTERRUPTED = 130

TRACEBACK = "MCPBRIDGE_TRACEBACK"
"""With this environment variable set, an error that nobody foresaw shows where it came from."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LONGEST = 2_000


def ended(act: Callable[[], int]) -> int:
    """The exit code of an act; whatever it raises becomes one line on stderr."""
    try:
        return act()
    except KeyboardInterrupt:
        return INTERRUPTED
    except UpstreamError as error:
        complain(f"{error.failure.message}. {error.failure.hint}" if error.failure.hint else error.failure.message)
        return FAILED
    except BridgeError as error:
        complain(str(error))
        return MISUSED if isinstance(error, ConfigError | InvalidArguments | ToolNotFound) else FAILED
    except BrokenPipeError:
        raise  # whoever reads our output has enough; typer ends quietly
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        complain(f"unexpected {type(error).__name__}: {error}. Please report it, with the output under {TRACEBACK}=1")
        return FAILED


def complain(text: str) -> None:
    """One line on stderr, with nothing in it that moves a terminal's cursor."""
    say(f"mcpbridge: {one_line(text)}")


def say(text: str) -> None:
    """Text for a person, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def one_line(text: str) -> str:
    """The text without control characters, on one line of bounded length."""
    line = _CONTROL.sub(" ", text).strip()
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
