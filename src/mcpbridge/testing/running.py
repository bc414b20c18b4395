"""What the pytest plugin knows of the test that runs; without pytest it knows nothing, and nothing is lost by that."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Running:
    """The test that runs.

    folder    where its file is: snapshots stand there
    update    whether snapshots are written instead of compared
    written   the snapshots that were
    begun     checks that wait to be awaited
    """

    folder: Path = field(default_factory=Path)
    update: bool = False
    written: list[Path] = field(default_factory=list[Path])
    begun: set[str] = field(default_factory=set[str])


RUNNING = Running()
"""One test runs at a time in a process."""
