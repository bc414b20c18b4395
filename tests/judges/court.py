"""Where the judges are, and how they are run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeAlias

HERE = Path(__file__).parent
JUDGES = HERE.parents[1] / ".judges"
MODULES = JUDGES / "node_modules"
SCOPE = MODULES / "@modelcontextprotocol"

Run: TypeAlias = Callable[..., str]
Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[str]]
