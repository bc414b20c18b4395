"""A description that a command only looks at: nothing of it is called."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager

from mcpbridge.cli.opening import read_document
from mcpbridge.cli.target import Described, read_target
from mcpbridge.errors import ConfigError, DescriptionError, UpstreamError
from mcpbridge.openapi.document import Document


@contextmanager
def looked_at(text: str) -> Generator[Document, None, None]:
    """The description that the text names, for as long as it is read.

    Raises: ConfigError where it can't be read: the command was meant for another file.
    """
    try:
        target = read_target(text)
        if not isinstance(target, Described):
            raise ConfigError(f"{text!r} is an MCP server: name an API description, a file or a URL")
        yield read_document(target)
    except UpstreamError as error:
        raise ConfigError(f"{error.failure.message}. {error.failure.hint}") from error
    except DescriptionError as error:
        raise ConfigError(str(error)) from error


def print_json(shown: object) -> None:
    """One JSON document on stdout."""
    json.dump(shown, sys.stdout, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.write("\n")


def counted(count: int, what: str) -> str:
    """A number of things, such as `1 error` and `2 errors`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
